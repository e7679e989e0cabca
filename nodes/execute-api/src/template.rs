//! Text with `${parameter}` in it, taken apart before a value is there.

use std::collections::BTreeMap;

/// A text of literals and parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    Literal(String),
    Parameter(String),
}

impl Template {
    /// A text that is itself, whatever stands in it.
    pub(crate) fn literal(text: String) -> Self {
        Self(vec![Piece::Literal(text)])
    }

    /// A text of a document.
    pub(crate) fn parse(text: &str) -> Self {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, inside)) = rest.split_once("${") {
            let Some((name, after)) = inside.split_once('}') else {
                break;
            };
            pieces.push(Piece::Literal(before.to_owned()));
            pieces.push(Piece::Parameter(name.to_owned()));
            rest = after;
        }
        pieces.push(Piece::Literal(rest.to_owned()));
        Self(pieces)
    }

    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// The text with its values. Fails with the name of a parameter that has none.
    pub(crate) fn fill<'t>(&'t self, values: &BTreeMap<&str, String>) -> Result<String, &'t str> {
        let mut filled = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Literal(text) => filled.push_str(text),
                Piece::Parameter(name) => {
                    filled.push_str(values.get(name.as_str()).ok_or(name.as_str())?);
                }
            }
        }
        Ok(filled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_with_a_parameter_in_it_is_not_filled_again() {
        let values = BTreeMap::from([("a", "${b}".to_owned()), ("b", "never".to_owned())]);
        assert_eq!(
            Template::parse("x${a}y").fill(&values),
            Ok("x${b}y".to_owned())
        );
        assert_eq!(Template::parse("${c}").fill(&values), Err("c"));
        assert_eq!(Template::parse("${a").fill(&values), Ok("${a".to_owned()));
        let literal = Template::literal("${a}".to_owned());
        assert_eq!(literal.fill(&values), Ok("${a}".to_owned()));
    }
}
