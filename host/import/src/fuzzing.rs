//! Entry point of the fuzz target for what is imported (`cargo xtask fuzz`), and the replay of its seeds.
//! None of this exists in a normal build.

use crate::{ImportError, Imported, Source, dydu, kore, servisbot};

/// A worker or connector; an agent's settings; a script; a table. Which, says the first letter.
pub fn imports(text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    let kind = text.chars().next().unwrap_or_default();
    let text = text.chars().skip(1).collect::<String>();
    let file = |ending: &str| Source {
        file: format!("fuzzed.{ending}"),
        text: text.clone(),
    };
    let settings = |text: &str| Source {
        file: "settings.toml".to_owned(),
        text: text.to_owned(),
    };
    let agent = settings(
        "\"Login URL\" = \"https://login.mypurecloud.de\"\n\"Deployment ID\" = \"1\"\nMode = \"Web Messaging\"",
    );
    let connector = settings("Domain = \"mypurecloud.de\"\n\"Client ID\" = \"1\"");
    let result = match kind {
        'w' => {
            let choices = servisbot::Choices {
                aws_region: Some("eu-west-1".to_owned()),
                name: None,
            };
            servisbot::import(&[file("json")], &choices)
        }
        'a' => kore::import(&file("toml"), &[]),
        'e' => kore::import(&agent, &[file("json")]),
        's' => kore::import(&agent, &[file("js")]),
        'd' => dydu::import(&file("toml"), &[]),
        _ => dydu::import(&connector, &[file("csv")]),
    };
    match result {
        Ok(Imported { files, notes, .. }) => {
            assert_eq!(
                files.first().map(|it| it.path.as_str()),
                Some("project.toml")
            );
            for file in &files {
                let plain = file
                    .path
                    .split('/')
                    .all(|part| !part.is_empty() && part != "..");
                assert!(plain, "a file outside the project: {}", file.path);
            }
            for note in notes {
                assert!(note.place.span.end <= text.len() || note.place.file == "settings.toml");
            }
        }
        Err(ImportError(mistakes)) => assert!(!mistakes.is_empty(), "refused without a word"),
    }
}

#[cfg(test)]
mod tests {
    use fuzz_replay::replay;

    #[test]
    fn seeds_of_imports_hold() {
        replay("imports", super::imports);
    }
}
