//! The generated shop.

use bspm::Dataset;
use bspm::data::{ItemColumn, ItemTable};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

/// A category of items.
struct Category {
    name: &'static str,
    /// The mean price.
    price: f64,
    products: [&'static str; PRODUCTS],
}

const PRODUCTS: usize = 10;

#[rustfmt::skip]
const CATEGORIES: [Category; 6] = [
    Category { name: "Coffee", price: 18.0, products: [
        "espresso beans", "filter coffee", "moka pot", "milk frother", "hand grinder",
        "pour-over dripper", "paper filters", "espresso cups", "decaf beans", "cold brew bottle",
    ] },
    Category { name: "Tea", price: 9.0, products: [
        "green tea", "black tea", "masala chai", "teapot", "peppermint tea",
        "rooibos", "oolong tea", "tea strainer", "honey", "matcha set",
    ] },
    Category { name: "Bakery", price: 6.0, products: [
        "rye bread", "sourdough loaf", "almond biscotti", "shortbread", "cinnamon rolls",
        "bread knife", "baguette", "fruit cake", "oat cookies", "proofing basket",
    ] },
    Category { name: "Kitchen", price: 32.0, products: [
        "chef's knife", "cast iron pan", "cutting board", "mixing bowls", "saucepan",
        "pepper mill", "baking sheet", "kitchen scale", "apron", "stock pot",
    ] },
    Category { name: "Garden", price: 14.0, products: [
        "tomato seeds", "basil pot", "watering can", "garden gloves", "hand trowel",
        "pruning shears", "bird feeder", "lavender", "compost", "raised bed",
    ] },
    Category { name: "Books", price: 21.0, products: [
        "book of breads", "coffee atlas", "tea stories", "vegetable cookbook", "garden calendar",
        "knife skills", "travel guide", "crime novel", "picture book", "poems",
    ] },
];

const BRANDS: [&str; 10] = [
    "Northwind",
    "Alba",
    "Kestrel",
    "Marlow",
    "Juniper",
    "Solana",
    "Tidewater",
    "Fable",
    "Oakhurst",
    "Lumen",
];

/// The number of brands of each product.
const BRANDS_OF_PRODUCT: usize = 5;

const USERS: usize = 500;

const SEED: u64 = 7;

/// Returns the shop: 300 items with the columns title, category, brand, price and in_stock, and the
/// purchases of 500 users. It is the same each time.
///
/// A user prefers one category, buys some items of a second one, and prefers one brand. The numbers of
/// purchases of the users and the popularity of the products are skewed, as in real data.
pub(super) fn dataset() -> bspm::Result<Dataset> {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let table = items(&mut random)?;
    let purchases = (0..USERS).flat_map(|user| {
        let name = format!("customer {}", user + 1);
        let bought = purchases(&mut random).into_iter();
        bought
            .map(move |item| (name.clone(), item))
            .collect::<Vec<_>>()
    });
    Dataset::from_pairs(purchases)?.with_items(table)
}

/// Returns the index in [`BRANDS`] of a brand of a category.
fn brand_of(category: usize, brand: usize) -> usize {
    (category * 3 + brand) % BRANDS.len()
}

fn id(category: usize, product: usize, brand: usize) -> String {
    format!(
        "{}",
        1000 + (category * PRODUCTS + product) * BRANDS_OF_PRODUCT + brand
    )
}

fn items(random: &mut ChaCha8Rng) -> bspm::Result<ItemTable> {
    let (mut ids, mut titles, mut categories) = (Vec::new(), Vec::new(), Vec::new());
    let (mut brands, mut prices, mut in_stock) = (Vec::new(), Vec::new(), Vec::new());
    for (place, category) in CATEGORIES.iter().enumerate() {
        for (product, name) in category.products.iter().enumerate() {
            for brand in 0..BRANDS_OF_PRODUCT {
                let maker = BRANDS[brand_of(place, brand)];
                ids.push(id(place, product, brand));
                titles.push(format!("{maker} {name}"));
                categories.push(category.name);
                brands.push(maker);
                let price = category.price * random.random_range(0.4..1.8);
                prices.push(price.round() + 0.9);
                in_stock.push(random.random_bool(0.9));
            }
        }
    }
    let columns = vec![
        ItemColumn::texts("title", titles.iter().map(String::as_str)),
        ItemColumn::texts("category", categories),
        ItemColumn::texts("brand", brands),
        ItemColumn::numbers("price", prices),
        ItemColumn::booleans("in_stock", in_stock),
    ];
    ItemTable::new(ids.into_iter().collect(), "title", columns)
}

/// Returns the purchases of a user with random preferences.
fn purchases(random: &mut ChaCha8Rng) -> Vec<String> {
    let favourite = random.random_range(0..CATEGORIES.len());
    let second = random.random_range(0..CATEGORIES.len());
    let brand = random.random_range(0..BRANDS_OF_PRODUCT);
    let skew: f64 = random.random();
    let count = 4 + (36.0 * skew.powi(3)) as usize;
    let bought = (0..count).map(|_| {
        let category = match random.random_range(0..20) {
            0..12 => favourite,
            12..17 => second,
            _ => random.random_range(0..CATEGORIES.len()),
        };
        let brand = match random.random_bool(0.5) {
            true => brand,
            false => random.random_range(0..BRANDS_OF_PRODUCT),
        };
        let skew: f64 = random.random();
        let product = (PRODUCTS as f64 * skew * skew) as usize;
        id(category, product, brand)
    });
    bought.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shop_is_the_same_each_time() {
        let shop = dataset().unwrap();
        assert_eq!(shop.users().len(), USERS);
        let table = shop.item_table().unwrap();
        assert_eq!(table.len(), 300);
        assert_eq!(table.title("1000"), Some("Northwind espresso beans"));
        let again = dataset().unwrap();
        assert_eq!(again.interactions(), shop.interactions());
        assert_eq!(again.item_table(), shop.item_table());
    }
}
