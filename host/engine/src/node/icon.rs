//! Icons of nodes: small SVG that draws, and does nothing else.
//!
//! Builders put an icon into their page. So an icon may hold shapes, and nothing that runs, loads or
//! leads elsewhere; what is not known to be harmless is refused.

use roxmltree::{Document, Node};

/// Bytes of an icon.
const MAX_ICON: usize = 16 << 10;

const SVG: &str = "http://www.w3.org/2000/svg";
const XLINK: &str = "http://www.w3.org/1999/xlink";

/// What an icon may consist of.
const ELEMENTS: [&str; 20] = [
    "svg",
    "g",
    "path",
    "circle",
    "rect",
    "line",
    "polyline",
    "polygon",
    "ellipse",
    "defs",
    "linearGradient",
    "radialGradient",
    "stop",
    "title",
    "desc",
    "clipPath",
    "mask",
    "use",
    "text",
    "tspan",
];

/// Says what is wrong with an icon. None at all is fine.
pub(super) fn check_icon(icon: &str) -> Result<(), String> {
    if icon.is_empty() {
        return Ok(());
    }
    if icon.len() > MAX_ICON {
        return Err(format!(
            "'icon' is {} bytes long; {MAX_ICON} are allowed",
            icon.len()
        ));
    }
    // Declarations of entities are refused by the parser itself.
    let document =
        Document::parse(icon).map_err(|error| format!("'icon' is not inline SVG: {error}"))?;
    if document.root_element().tag_name().name() != "svg" {
        return Err("'icon' is not inline SVG: its outermost element is not 'svg'".to_owned());
    }
    document
        .descendants()
        .try_for_each(|node| check_node(&node))
}

fn check_node(node: &Node<'_, '_>) -> Result<(), String> {
    if node.is_pi() {
        return Err("'icon' holds a processing instruction; remove it".to_owned());
    }
    if !node.is_element() {
        return Ok(());
    }
    let tag = node.tag_name();
    if tag.namespace() != Some(SVG) || !ELEMENTS.contains(&tag.name()) {
        return Err(format!(
            "'icon' holds the element '{}', and may hold shapes only; remove it",
            tag.name()
        ));
    }
    node.attributes().try_for_each(|attribute| {
        let (name, value) = (attribute.name(), attribute.value());
        let refused = match attribute.namespace() {
            Some(XLINK) => name != "href" || !value.starts_with('#'),
            // `xml:space` and the like.
            Some(_) => false,
            None => {
                name.get(..2)
                    .is_some_and(|start| start.eq_ignore_ascii_case("on"))
                    || (name == "href" && !value.starts_with('#'))
            }
        };
        if refused || leads_elsewhere(value) {
            return Err(format!(
                "'icon' holds the attribute '{name}' with a script or an address; remove it"
            ));
        }
        Ok(())
    })
}

/// Whether a value runs or loads something. Within an icon, `url(#id)` is the only reference.
fn leads_elsewhere(value: &str) -> bool {
    let value: String = value
        .chars()
        .filter(|letter| !letter.is_whitespace() && !letter.is_control())
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    let scripts = [
        "javascript:",
        "vbscript:",
        "data:",
        "@import",
        "expression(",
        "image(",
        "image-set(",
    ];
    // A backslash can spell any of these in CSS.
    scripts.iter().any(|script| value.contains(script))
        || value.contains('\\')
        || value.match_indices("url(").any(|(at, found)| {
            !value[at + found.len()..]
                .trim_start_matches(['"', '\''])
                .starts_with('#')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawing(inside: &str, attribute: &str) -> String {
        format!(
            "<svg xmlns=\"{SVG}\" xmlns:xlink=\"{XLINK}\" viewBox=\"0 0 24 24\" {attribute}>{inside}</svg>"
        )
    }

    #[test]
    fn shapes_are_drawn() {
        for inside in [
            "",
            "<path d='M0 0h1'/>",
            "<defs><linearGradient id='a'><stop offset='1'/></linearGradient></defs>\
             <rect fill='url(#a)'/><use xlink:href='#b'/><use href='#b'/><title>A</title>",
        ] {
            assert_eq!(check_icon(&drawing(inside, "")), Ok(()), "{inside}");
        }
        assert_eq!(check_icon(""), Ok(()));
    }

    #[test]
    fn whatever_runs_loads_or_leads_elsewhere_is_refused_in_every_place() {
        let elements = [
            "<script>1</script>",
            "<foreignObject/>",
            "<image href='x'/>",
            "<style>*{}</style>",
            "<animate/>",
            "<set/>",
            "<a href='#x'/>",
            "<iframe xmlns='http://www.w3.org/1999/xhtml'/>",
            "<x:script xmlns:x='http://www.w3.org/2000/svg'/>",
            "<?xml-stylesheet href='x'?>",
        ];
        for element in elements {
            for inside in [element.to_owned(), format!("<g><g>{element}</g></g>")] {
                assert!(check_icon(&drawing(&inside, "")).is_err(), "{inside}");
            }
        }
        let attributes = [
            "onload='x'",
            "ONCLICK='x'",
            "fill='url(https://x)'",
            "fill='url( \"//x\")'",
            "style='background:url(x)'",
            "fill='u\\72l(x)'",
            "href='javascript:x'",
            "href='x.svg#a'",
            "xlink:href=' java&#10;script:x'",
            "xlink:href='data:x'",
            "style='@import x'",
        ];
        for attribute in attributes {
            assert!(check_icon(&drawing("", attribute)).is_err(), "{attribute}");
            let inside = format!("<g><use {attribute}/></g>");
            assert!(check_icon(&drawing(&inside, "")).is_err(), "{inside}");
        }
        for other in [
            "<html/>",
            "hello",
            "<svg/>",
            "<!DOCTYPE svg [<!ENTITY a 'b'>]><svg/>",
        ] {
            assert!(check_icon(other).is_err(), "{other}");
        }
        assert!(check_icon(&drawing(&"<g/>".repeat(5_000), "")).is_err());
    }
}
