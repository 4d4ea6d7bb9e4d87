import Chassis
import Contracts
import OrderService

await Launch.service(.orders, settings: OrderService.Settings.init, assemble: OrderService.assemble)
