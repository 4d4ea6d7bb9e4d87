import Chassis
import Contracts
import PaymentService

await Launch.service(.payments, settings: PaymentService.Settings.init, assemble: PaymentService.assemble)
