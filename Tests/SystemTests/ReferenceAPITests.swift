import Chassis
import ChassisTesting
import Foundation
import HTTPTypes
import Testing

/// A client that was written for the plain reference API keeps working: the calls and members that it knows, as it knows them.
extension SystemTests {
    @Suite(.shop(), .logsOnFailure) struct ReferenceAPITests: ShopSuite {
        @Test("registering answers with id, name and email, and a second time says that the user exists", .timeLimit(.minutes(1)))
        func register() async throws {
            let body: JSONValue = ["name": "Grace", "email": "grace@example.com", "password": "secret word", "unknown": ["member": 1]]
            let reply = try await client.post("/api/users/register", body)
            #expect(reply.status == .created)
            #expect(reply.json.members == ["id", "name", "email"])
            #expect(reply.json["name"] == "Grace")
            #expect(reply.json["email"] == "grace@example.com")
            let again = try await client.post("/api/users/register", body)
            #expect(again.status == .badRequest)
            expectProblem(again, "User already exists")
        }

        @Test(
            "logging in answers with the user's id and a token; a wrong password and an unknown email get the same answer",
            .timeLimit(.minutes(1)))
        func login() async throws {
            let reply = try await client.post(
                "/api/users/login", ["email": .string(customer.email), "password": .string(customer.password), "unknown": 1])
            #expect(reply.status == .ok)
            #expect(reply.json.members == ["message", "userId", "accessToken", "refreshToken", "tokenType", "expiresIn"])
            #expect(reply.json["message"] == "Login successful")
            #expect(reply.json["userId"].integer == customer.id)
            #expect(reply.json["tokenType"] == "Bearer")
            let wrong = try await client.post("/api/users/login", ["email": .string(customer.email), "password": "not the password"])
            let unknown = try await client.post("/api/users/login", ["email": "nobody@example.com", "password": "not the password"])
            #expect(wrong.status == .unauthorized && unknown.status == .unauthorized)
            expectProblem(wrong, "Invalid credentials")
            #expect(wrong.json == unknown.json)
        }

        @Test("a user is shown without the password, in any form", .timeLimit(.minutes(1)))
        func user() async throws {
            let reply = try await client.get("/api/users/\(customer.id)", as: customer.caller)
            #expect(reply.status == .ok)
            #expect(reply.json["id"].integer == customer.id)
            #expect(reply.json["name"] == "Ada")
            #expect(reply.json["email"].string == customer.email)
            for word in ["password", "hash", "scrypt", "salt", customer.password] {
                #expect(!reply.text.lowercased().contains(word.lowercased()))
            }
            let unknown = try await client.get("/api/users/987654321", as: administrator)
            #expect(unknown.status == .notFound)
            expectProblem(unknown, "User not found")
        }

        @Test("a new catalog begins with Laptop and Phone", .timeLimit(.minutes(1)))
        func products() async throws {
            let reply = try await client.get("/api/products?unknown=1")
            #expect(reply.status == .ok)
            let products = reply.json.array
            #expect(products.count >= 2)
            #expect(products.allSatisfy { $0.members.isSuperset(of: ["id", "name", "price", "stock"]) })
            #expect(products.first?["name"] == "Laptop" && products.first?["price"] == 999)
            #expect(products.dropFirst().first?["name"] == "Phone" && products.dropFirst().first?["price"] == 699)
            let laptop = try await client.get("/api/products/\(products[0]["id"].integer ?? 0)")
            #expect(laptop.status == .ok && laptop.json == products[0])
            #expect(laptop.headers[.eTag] != nil)
            let unknown = try await client.get("/api/products/987654321")
            #expect(unknown.status == .notFound)
            expectProblem(unknown, "Product not found")
        }

        @Test("an administrator adds a product, and its stock can be taken until it is insufficient", .timeLimit(.minutes(1)))
        func stock() async throws {
            let reply = try await client.post(
                "/api/products", ["name": "Chair", "price": 19.99, "stock": 3, "unknown": nil], as: administrator)
            #expect(reply.status == .created)
            #expect(reply.json["name"] == "Chair" && reply.json["price"] == 19.99 && reply.json["stock"] == 3)
            let path = "/api/products/\(reply.json["id"].integer ?? 0)/stock"
            let taken = try await client.patch(path, ["quantity": 2, "unknown": true], as: administrator)
            #expect(taken.status == .ok)
            #expect(taken.json["id"] == reply.json["id"] && taken.json["stock"] == 1)
            let tooMuch = try await client.patch(path, ["quantity": 2], as: administrator)
            #expect(tooMuch.status == .badRequest)
            expectProblem(tooMuch, "Insufficient stock")
            let unknown = try await client.patch("/api/products/987654321/stock", ["quantity": 1], as: administrator)
            #expect(unknown.status == .notFound)
            expectProblem(unknown, "Product not found")
        }

        @Test("an order of one product answers with its total, and is found again by id and by user", .timeLimit(.minutes(1)))
        func order() async throws {
            let product = try await shop.addProduct(price: 12.5, stock: 5, named: "Cup")
            let body: JSONValue = [
                "userId": .integer(customer.id), "productId": .integer(product), "quantity": 2, "unknown": ["member"],
            ]
            let placed = try await client.post("/api/orders", body, as: customer.caller)
            #expect(placed.status == .created)
            #expect(
                placed.json.members
                    == ["id", "userId", "items", "productId", "quantity", "totalPrice", "currency", "status", "createdAt"])
            #expect(placed.json["userId"].integer == customer.id)
            #expect(placed.json["productId"].integer == product && placed.json["quantity"] == 2)
            #expect(placed.json["totalPrice"] == 25)
            #expect(placed.json["status"] == "pending")
            #expect(
                placed.json["items"][0] == [
                    "productId": .integer(product), "name": "Cup", "unitPrice": 12.5, "quantity": 2, "lineTotal": 25,
                ])

            let id = try #require(placed.json["id"].integer)
            let found = try await shop.outcome(of: id, of: customer)
            #expect(found["status"] == "paid" && found["totalPrice"] == 25)
            #expect(found["timeline"].array.map { $0["status"] } == ["pending", "paid"])
            let history = try await client.get("/api/orders/user/\(customer.id)", as: customer.caller)
            #expect(history.status == .ok && history.json.array.first?["id"].integer == id)
        }

        @Test("an order of several lines has no member that only a single line has", .timeLimit(.minutes(1)))
        func severalLines() async throws {
            let cup = try await shop.addProduct(price: 0.1, stock: 5)
            let plate = try await shop.addProduct(price: 0.2, stock: 5)
            let body: JSONValue = [
                "items": [["productId": .integer(cup), "quantity": 1], ["productId": .integer(plate), "quantity": 1]],
                "paymentMethod": "tok_visa",
                "currency": "USD",
            ]
            let placed = try await client.post("/api/orders", body, as: customer.caller)
            #expect(placed.status == .created)
            #expect(placed.json["totalPrice"] == 0.3)
            #expect(placed.json["items"].count == 2)
            #expect(placed.json.members.isDisjoint(with: ["productId", "quantity"]))
        }

        @Test("an order that cannot be says why in the reference's two sentences", .timeLimit(.minutes(1)))
        func impossibleOrder() async throws {
            let product = try await shop.addProduct(stock: 1)
            let tooMany = try await client.post("/api/orders", ["productId": .integer(product), "quantity": 2], as: customer.caller)
            #expect(tooMany.status == .badRequest)
            expectProblem(tooMany, "Failed to create order")
            #expect(tooMany.json["details"] == ["error": "Insufficient stock"])
            let unknown = try await client.post("/api/orders", ["productId": 987_654_321, "quantity": 1], as: customer.caller)
            #expect(unknown.status == .notFound)
            expectProblem(unknown, "Failed to create order")
            #expect(unknown.json["details"] == ["error": "Product not found"])
            let noOrder = try await client.get("/api/orders/987654321", as: customer.caller)
            #expect(noOrder.status == .notFound)
            expectProblem(noOrder, "Order not found")
        }

        @Test("the gateway tells the health of every service", .timeLimit(.minutes(1)))
        func health() async throws {
            let reply = try await client.get("/health")
            #expect(reply.status == .ok)
            #expect(reply.json.members == ["gateway", "services"])
            #expect(reply.json["gateway"] == "healthy")
            let services = reply.json["services"].array
            #expect(
                Set(services.compactMap { $0["name"].string })
                    == ["user-service", "product-service", "order-service", "payment-service", "notification-service"])
            #expect(services.allSatisfy { $0.members == ["name", "url", "status", "latencyMs"] && $0["status"] == "healthy" })
        }
    }
}
