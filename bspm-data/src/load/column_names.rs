//! The usual names of the columns of users and items.

/// Words for a user.
const USERS: [&str; 14] = [
    "customer",
    "cust",
    "client",
    "member",
    "visitor",
    "reviewer",
    "account",
    "person",
    "subscriber",
    "usuario",
    "cliente",
    "kunde",
    "nutzer",
    "utilisateur",
];

/// Words for an item.
const ITEMS: [&str; 24] = [
    "product",
    "prod",
    "movie",
    "film",
    "artist",
    "track",
    "song",
    "book",
    "article",
    "game",
    "video",
    "course",
    "recipe",
    "restaurant",
    "anime",
    "show",
    "album",
    "podcast",
    "produto",
    "producto",
    "artikel",
    "produkt",
    "pelicula",
    "filme",
];

/// Words for an item only in the name of an id, such as `post_id`.
const ITEM_IDS: [&str; 11] = [
    "post", "content", "property", "venue", "business", "listing", "story", "app", "hotel",
    "episode", "news",
];

/// Names of codes of items.
const CODES: [&str; 6] = ["isbn", "asin", "parentasin", "sku", "ean", "stockcode"];

/// Returns the column of user ids in `names` by its name. These are compared without case and punctuation, so
/// `userId` and `User-ID` are one name. `user` or its id comes before the id of another word for a user, such as
/// `CustomerID`, and this one before the word alone. Returns `None` if no column, or more than one, has such a name.
///
/// The other words are customer, cust, client, member, visitor, reviewer, account, person, subscriber, usuario, cliente,
/// kunde, nutzer and utilisateur.
///
/// # Examples
///
/// ```
/// use bspm_data::{usual_item_column, usual_user_column};
///
/// let names = ["userId", "movieId", "rating", "timestamp"];
/// assert_eq!(usual_user_column(&names), Some("userId"));
/// assert_eq!(usual_item_column(&names), Some("movieId"));
/// assert_eq!(usual_item_column(&["track_id", "artist_id"]), None);
/// ```
pub fn usual_user_column<N: AsRef<str>>(names: &[N]) -> Option<&str> {
    usual(names, |name| match name {
        "user" | "userid" | "uid" => Some(0),
        _ if is_id_of(name, &USERS) => Some(1),
        _ => USERS.contains(&name).then_some(2),
    })
}

/// Returns the column of item ids in `names` by its name, like [`usual_user_column`]: `item` or its id, then the id of
/// another word for an item or a code, then the word alone.
///
/// The other words are product, prod, movie, film, artist, track, song, book, article, game, video, course, recipe,
/// restaurant, anime, show, album, podcast, produto, producto, artikel, produkt, pelicula and filme; and, only as ids,
/// post, content, property, venue, business, listing, story, app, hotel, episode and news. The codes are ISBN, ASIN,
/// parent ASIN, SKU, EAN and stock code.
pub fn usual_item_column<N: AsRef<str>>(names: &[N]) -> Option<&str> {
    usual(names, |name| match name {
        "item" | "itemid" | "iid" => Some(0),
        _ if CODES.contains(&name) || is_id_of(name, &ITEMS) || is_id_of(name, &ITEM_IDS) => {
            Some(1)
        }
        _ => ITEMS.contains(&name).then_some(2),
    })
}

/// Returns the only name of the lowest rank.
fn usual<N: AsRef<str>>(names: &[N], rank: impl Fn(&str) -> Option<u8>) -> Option<&str> {
    let ranks = || names.iter().map(|name| rank(&letters_of(name.as_ref())));
    let lowest = ranks().flatten().min()?;
    let mut found = names
        .iter()
        .zip(ranks())
        .filter(|(_, rank)| *rank == Some(lowest));
    match (found.next(), found.next()) {
        (Some((name, _)), None) => Some(name.as_ref()),
        _ => None,
    }
}

/// Returns a name in lower case, without spaces and punctuation.
fn letters_of(name: &str) -> String {
    name.chars()
        .filter(|letter| letter.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

fn is_id_of(name: &str, words: &[&str]) -> bool {
    let word = name.strip_suffix("id").or_else(|| name.strip_prefix("id"));
    word.is_some_and(|word| words.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_their_usual_names() {
        for (names, user, item) in [
            (
                &["userId", "movieId", "rating"][..],
                Some("userId"),
                Some("movieId"),
            ),
            (
                &["User-ID", "ISBN", "Book-Rating"],
                Some("User-ID"),
                Some("ISBN"),
            ),
            (
                &["InvoiceNo", "StockCode", "CustomerID"],
                Some("CustomerID"),
                Some("StockCode"),
            ),
            (
                &["//userID", "artistID", "weight"],
                Some("//userID"),
                Some("artistID"),
            ),
            (&["uid", "iid"], Some("uid"), Some("iid")),
            (
                &["id_usuario", "produto_id"],
                Some("id_usuario"),
                Some("produto_id"),
            ),
            (
                &["order_id", "product_id", "product"],
                None,
                Some("product_id"),
            ),
            (
                &["user.id", "movie.id", "movie.title"],
                Some("user.id"),
                Some("movie.id"),
            ),
            (
                &["userId", "customerId", "item", "productId"],
                Some("userId"),
                Some("item"),
            ),
            // Two columns have equal rights.
            (
                &["customerId", "memberId", "trackId", "artistId"],
                None,
                None,
            ),
            (&["userId", "user_id", "itemId", "itemId"], None, None),
            // These are not ids of items.
            (
                &["user", "name", "location", "title", "post"],
                Some("user"),
                None,
            ),
            (&["0", "0", "4.0"], None, None),
            (&["id", "ids", ""], None, None),
        ] {
            assert_eq!(usual_user_column(names), user, "{names:?}");
            assert_eq!(usual_item_column(names), item, "{names:?}");
        }
    }
}
