import Chassis
import Contracts
import NotificationService

await Launch.service(.notifications, settings: NotificationService.Settings.init, assemble: NotificationService.assemble)
