//! The usual names of the columns of users and items.

use crate::shortened::shortened;

/// The names of the columns that are read without options, before other usual names.
pub(super) const DEFAULT_USERS: [&str; 2] = ["user", "user_id"];
pub(super) const DEFAULT_ITEMS: [&str; 2] = ["item", "item_id"];

/// Words for a user.
macro_rules! users {
    () => {
        "customer, person, member, visitor, reviewer, subscriber, student, learner, buyer, shopper, usuario, \
         cliente, kunde, nutzer, utilisateur"
    };
}

/// Words that name an id of a user, but not a user: a `client` may be a program.
macro_rules! user_ids {
    () => {
        "cust, client, account, tenant, contact, guest, aluno"
    };
}

/// Words for something that has items, if there is no user.
macro_rules! sessions {
    () => {
        "session, playlist"
    };
}

/// Words for an item.
macro_rules! items {
    () => {
        "product, movie, film, song, book, article, game, course, recipe, restaurant, anime, podcast, produto, \
         producto, artikel, produkt, pelicula, película, filme, livro, libro, curso"
    };
}

/// Words that name an id of an item, but not an item: a `post` may be a text, and a `show` a number.
macro_rules! item_ids {
    () => {
        "prod, artist, track, album, video, show, post, content, property, venue, business, listing, story, hotel, \
         episode, news, car, stream, tweet, problem, restaurante, musica"
    };
}

/// Names of codes of items.
macro_rules! codes {
    () => {
        "isbn, asin, parentasin, sku, ean, stockcode"
    };
}

/// Returns the column of user ids in `names` by its name. These are compared without case and punctuation, so
/// `userId` and `User-ID` are one name. The id of a user comes before `uid` and the ids of other words for a user,
/// such as `CustomerID` or `id_cliente`, and these before a word alone. Returns `None` if no column has such a name,
/// or if several come first.
///
#[doc = concat!("The other words are ", users!(), "; only as ids ", user_ids!())]
#[doc = concat!("; and if there is no user, ", sessions!(), ".")]
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
        "userid" | "iduser" => Some(0),
        "uid" => Some(1),
        _ if is_id_of(name, users!()) || is_id_of(name, user_ids!()) => Some(1),
        "user" => Some(2),
        _ if is_one_of(name, users!()) => Some(2),
        _ => is_id_of(name, sessions!()).then_some(3),
    })
}

/// Returns the column of item ids in `names` by its name, like [`usual_user_column`]: the id of an item, then `iid`,
/// the ids of other words for an item, and codes, then a word alone.
///
#[doc = concat!("The other words are ", items!(), "; only as ids ", item_ids!())]
#[doc = concat!(". The codes are ", codes!(), ".")]
pub fn usual_item_column<N: AsRef<str>>(names: &[N]) -> Option<&str> {
    usual(names, |name| match name {
        "item" => Some(2),
        _ => rank_of_item_id(name).or_else(|| is_one_of(name, items!()).then_some(2)),
    })
}

/// Returns the column of the ids or codes of items, like [`usual_item_column`].
pub(super) fn usual_item_id<N: AsRef<str>>(names: &[N]) -> Option<&str> {
    usual(names, rank_of_item_id)
}

fn rank_of_item_id(name: &str) -> Option<u8> {
    match name {
        "itemid" | "iditem" => Some(0),
        "iid" => Some(1),
        _ if is_one_of(name, codes!()) => Some(1),
        _ => (is_id_of(name, items!()) || is_id_of(name, item_ids!())).then_some(1),
    }
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
    let letters = name.chars().filter(|letter| letter.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// Whether a list of words has a word.
fn is_one_of(name: &str, words: &str) -> bool {
    words.split(", ").any(|word| word == name)
}

fn is_id_of(name: &str, words: &str) -> bool {
    let word = name.strip_suffix("id").or_else(|| name.strip_prefix("id"));
    word.is_some_and(|word| is_one_of(word, words))
}

/// Formats the names of columns for a message, shortened if there are many.
pub(super) fn listed(names: &[String]) -> String {
    const MOST: usize = 20;
    let shown = names.iter().take(MOST).cloned().map(shortened);
    let shown = shown.collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(MOST) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
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
            (&["User", "Item"], Some("User"), Some("Item")),
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
                &["userId", "customerId", "Item", "productId"],
                Some("userId"),
                Some("productId"),
            ),
            (
                &["playlist_id", "track_id"],
                Some("playlist_id"),
                Some("track_id"),
            ),
            (
                &["session_id", "userId", "tweet_id"],
                Some("userId"),
                Some("tweet_id"),
            ),
            (
                &["tenantId", "propertyId", "contact"],
                Some("tenantId"),
                Some("propertyId"),
            ),
            // Several columns come first.
            (
                &["customerId", "memberId", "trackId", "artistId"],
                None,
                None,
            ),
            (&["userId", "user_id", "itemId", "itemId"], None, None),
            (&["uid", "customer_id", "asin", "parent_asin"], None, None),
            // These are not ids of users or items.
            (&["name", "location", "title", "post"], None, None),
            (&["app_id", "event_id", "page"], None, None),
            (&["ad_id", "show", "click"], None, None),
            (
                &["artist_name", "album", "track_name", "video", "watched"],
                None,
                None,
            ),
            (&["client", "session", "ts"], None, None),
            (&["0", "0", "4.0"], None, None),
            (&["id", "ids", ""], None, None),
        ] {
            assert_eq!(usual_user_column(names), user, "{names:?}");
            assert_eq!(usual_item_column(names), item, "{names:?}");
        }
    }
}
