import Chassis
import Contracts
import UserService

await Launch.service(.users, settings: UserService.Settings.init, assemble: UserService.assemble)
