//! Shortens texts for messages.

/// Returns the text, or its beginning if it is too long for a message.
pub fn shortened(mut text: String) -> String {
    const LONGEST: usize = 60;
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
        text.push('…');
    }
    text
}
