import Commerce

/// What an empty shop sells, so that a first visit finds something.
enum DemoCatalog {
    /// The first two are a promise of the public API: a new shop has Laptop and Phone under the ids 1 and 2.
    static let products: [NewProduct] =
        electronics + home + books + clothing + outdoors

    private static let electronics = [
        product("Laptop", 999_00, 10, "Electronics", "14-inch display, 16 GB of memory, a battery for the whole day."),
        product("Phone", 699_00, 25, "Electronics", "A bright 6-inch screen and a camera that likes the dark."),
        product("Tablet", 449_00, 18, "Electronics", "Eleven inches for reading, drawing and films."),
        product("Headphones", 199_00, 40, "Electronics", "Wireless, closed, with noise cancelling and 30 hours of music."),
        product("Mechanical Keyboard", 129_00, 35, "Electronics", "Quiet tactile switches, 75 % layout, USB-C."),
        product("USB-C Charger", 39_90, 120, "Electronics", "65 W, two ports, small enough for a pocket."),
    ]

    private static let home = [
        product("Desk Lamp", 49_90, 60, "Home", "Warm to cold light, dimmable, with a heavy foot."),
        product("Espresso Machine", 329_00, 12, "Home", "15 bar, a steam wand and a tray for two cups."),
        product("Chef's Knife", 79_00, 45, "Home", "20 cm of forged steel with a walnut handle."),
        product("Cast Iron Pan", 54_50, 30, "Home", "26 cm, seasoned, good for a lifetime."),
        product("Wool Blanket", 89_00, 22, "Home", "Merino wool, 150 by 200 cm."),
    ]

    private static let books = [
        product("The Distributed Shop", 34_00, 80, "Books", "How orders, payments and parcels agree with each other."),
        product("Cooking for Engineers", 27_50, 65, "Books", "Recipes with tolerances."),
        product("A Field Guide to Clouds", 22_00, 90, "Books", "The ones in the sky, with 200 photographs."),
        product("Pocket Atlas", 18_90, 70, "Books", "Every country on paper that needs no battery."),
    ]

    private static let clothing = [
        product("Rain Jacket", 149_00, 28, "Clothing", "Waterproof, breathable, packs into its own pocket."),
        product("Merino T-Shirt", 45_00, 75, "Clothing", "Soft, light and slow to smell."),
        product("Running Shoes", 119_00, 33, "Clothing", "Cushioned for the road, sizes 36 to 47."),
        product("Wool Socks", 14_90, 200, "Clothing", "A pair, knitted without seams."),
        product("Winter Hat", 24_00, 110, "Clothing", "Ribbed, with a fleece lining."),
    ]

    private static let outdoors = [
        product("Two-Person Tent", 259_00, 15, "Outdoors", "1.9 kg, free-standing, up in three minutes."),
        product("Sleeping Bag", 139_00, 20, "Outdoors", "Down, comfortable at 2 °C."),
        product("Trekking Backpack", 169_00, 24, "Outdoors", "45 litres, an adjustable back and a rain cover."),
        product("Water Bottle", 19_50, 150, "Outdoors", "Steel, 750 ml, keeps cold for a day."),
    ]

    private static func product(_ name: String, _ cents: Int64, _ stock: Int64, _ category: String, _ description: String) -> NewProduct {
        let price = Money(minorUnits: cents, currency: .usd)
        return NewProduct(details: ProductDetails(name: name, description: description, category: category, price: price), stock: stock)
    }
}
