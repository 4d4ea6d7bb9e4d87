import Chassis
import Contracts
import ProductService

await Launch.service(.products, settings: ProductService.Settings.init, assemble: ProductService.assemble)
