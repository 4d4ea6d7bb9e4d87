import APIGateway
import Chassis
import Contracts

await Launch.service(.gateway, settings: APIGateway.Settings.init, assemble: APIGateway.assemble)
