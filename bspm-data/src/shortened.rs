//! Texts that are short enough for a message.

/// The text, or its beginning where it is too long for a message.
pub fn shortened(mut text: String) -> String {
    const LONGEST: usize = 60;
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
        text.push('…');
    }
    text
}
