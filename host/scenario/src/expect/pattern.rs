//! Texts in which `*` stands for anything.

/// Whether a text fits a pattern in which `*` stands for anything.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        assert!(matches("Hi Ana", "Hi Ana"));
        assert!(!matches("Hi", "Hi Ana"));
        assert!(matches("Hi *", "Hi Ana"));
        assert!(matches("*order*42*", "your order is 42."));
        assert!(!matches("*order*42", "your order is 42."));
        assert!(matches("*", ""));
        assert!(!matches("ab*ba", "aba"));
    }
}
