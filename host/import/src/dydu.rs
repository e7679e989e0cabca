//! Dydu: a Genesys connector, the identity of users, and which queue is whose competency.

use crate::dialogue::Dialogue;
use crate::form::{self, Form, Label};
use crate::manifest::Manifest;
use crate::org::{Org, QUEUE};
use crate::readme::readme;
use crate::{ImportError, Imported, Source};
use handoff_engine::diagnostic::{Diagnostic, Place, name_list};
use handoff_engine::source::place_at;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const DOMAIN: Label = &["Domain", "Domaine"];
const CLIENT_ID: Label = &["Client ID", "Identifiant client"];
const CLIENT_SECRET: Label = &["Client Secret", "Secret client"];
const BOT: Label = &["Bot", "Bot name", "Nom du bot"];
const IDENTITY: Label = &["Identity", "Identity mapping", "Identité"];
const COMPETENCIES: Label = &["Competencies", "Competency mapping", "Compétences"];
const WITHOUT: Label = &["without competency", "sans compétence"];

const EMAIL: Label = &["email", "e-mail", "mail", "adresse e-mail"];
const LAST_NAME: Label = &["last name", "nom"];
const FIRST_NAME: Label = &["first name", "prénom"];

/// The column of a table that holds competencies, and the one that holds queues.
const COMPETENCY_COLUMN: Label = &["competency", "compétence"];
const QUEUE_COLUMN: Label = &["queue", "Genesys queue", "file", "file d'attente"];

/// The account that the connector becomes.
const ACCOUNT: &str = "genesys";
/// The flow that escalates, and the bot that has it.
const FLOW: &str = "escalation";
const ASSISTANT: &str = "Assistant";

/// Makes a project of a connector's settings and of tables of competencies and queues, as CSV.
///
/// # Errors
/// Every setting that is missing or cannot be meant, and tables that cannot be read.
pub fn import(settings: &Source, tables: &[Source]) -> Result<Imported, ImportError> {
    let form = Form::read(settings)?;
    let connector = Connector::read(&form, tables)?;
    let mut notes = form.unknown(&[
        DOMAIN,
        CLIENT_ID,
        CLIENT_SECRET,
        BOT,
        IDENTITY,
        COMPETENCIES,
        WITHOUT,
    ]);
    notes.extend(connector.unknown_identity.iter().cloned());
    if form.text(CLIENT_SECRET).is_some() {
        let message = "the 'Client Secret' was left out: a project never holds one";
        notes.push(
            Diagnostic::warning("import.secret", form.file(), message).help(
                "put it into the environment variable GENESYS_CLIENT_SECRET, and out of this file",
            ),
        );
    }
    let title = form.text(BOT).unwrap_or("DYDU bot").to_owned();
    let mut files = vec![connector.manifest(&title).file()];
    let dialogue = connector.dialogue();
    files.push(dialogue.flow(FLOW, "Livechat escalation"));
    let name = "The operator knows who it is, and the user comes back to the assistant";
    files.push(dialogue.scenario(FLOW, name, None));
    files.push(connector.org(&title).file());
    let to_do = connector.to_do();
    let carried = connector.carried();
    files.push(readme(&title, "Dydu", &carried, &to_do, &notes));
    Ok(Imported {
        files,
        to_do,
        notes,
    })
}

/// What was set at Dydu.
#[derive(Default)]
struct Connector {
    region: String,
    client_id: String,
    /// Name in the node's config, and the bot's variable.
    identity: Vec<(&'static str, String)>,
    unknown_identity: Vec<Diagnostic>,
    /// Competency and queue.
    rows: Vec<(String, String)>,
    without: String,
}

impl Connector {
    fn read(form: &Form, tables: &[Source]) -> Result<Self, ImportError> {
        let mut mistakes = Vec::new();
        let mut read = Self::default();
        match form.region(DOMAIN) {
            Ok(region) => region.clone_into(&mut read.region),
            Err(error) => mistakes.extend(error.0),
        }
        match form.required(CLIENT_ID) {
            Ok(id) => id.clone_into(&mut read.client_id),
            Err(error) => mistakes.extend(error.0),
        }
        if let Some(queue) = form.text(WITHOUT) {
            queue.clone_into(&mut read.without);
        }
        match form.table(IDENTITY) {
            Ok(rows) => read.take_identity(rows),
            Err(error) => mistakes.extend(error.0),
        }
        let mut rows = form.table(COMPETENCIES).unwrap_or_else(|error| {
            mistakes.extend(error.0);
            Vec::new()
        });
        for table in tables {
            match rows_of(table) {
                Ok(more) => rows.extend(more),
                Err(error) => mistakes.extend(error.0),
            }
        }
        mistakes.extend(read.take_rows(rows));
        if mistakes.is_empty() {
            Ok(read)
        } else {
            Err(ImportError(mistakes))
        }
    }

    fn take_identity(&mut self, rows: Vec<(String, String, Place)>) {
        let fields = [
            (EMAIL, "email"),
            (LAST_NAME, "lastName"),
            (FIRST_NAME, "firstName"),
        ];
        for (label, variable, place) in rows {
            let known = fields.iter().find(|(it, _)| form::is(it, &label));
            match known {
                _ if variable.is_empty() => {}
                Some((_, field)) => self.identity.push((field, variable)),
                None => self.unknown_identity.push(
                    Diagnostic::warning(
                        "import.unknown_identity",
                        place,
                        format!("'{label}' was left out of the identity"),
                    )
                    .help("it takes 'email', 'last name' and 'first name'"),
                ),
            }
        }
    }

    /// Takes rows of competencies; a competency in two of them is a mistake.
    fn take_rows(&mut self, rows: Vec<(String, String, Place)>) -> Vec<Diagnostic> {
        let mut mistakes = Vec::new();
        for (competency, queue, place) in rows {
            if competency.is_empty() || form::is(WITHOUT, &competency) {
                self.without = queue;
            } else if self.rows.iter().any(|(it, _)| *it == competency) {
                mistakes.push(
                    Diagnostic::error(
                        "import.competency_twice",
                        place,
                        format!("the competency '{competency}' has two rows"),
                    )
                    .help("leave one: users of a competency go to one queue"),
                );
            } else {
                self.rows.push((competency, queue));
            }
        }
        mistakes
    }

    /// The integration of everybody, and that of a competency, as Dydu calls those it creates.
    fn integration(bot: &str, competency: Option<&str>) -> String {
        match competency {
            Some(competency) => format!("{bot} connector ({competency})"),
            None => format!("{bot} connector"),
        }
    }

    fn manifest(&self, bot: &str) -> Manifest {
        let mut manifest = Manifest::new(bot, ASSISTANT);
        manifest.default_account(ACCOUNT);
        let competencies: Map<String, Value> = self
            .rows
            .iter()
            .map(|(it, _)| (it.clone(), Self::integration(bot, Some(it)).into()))
            .collect();
        let competencies = if competencies.is_empty() {
            Value::Null
        } else {
            competencies.into()
        };
        manifest.entry(
            "accounts",
            ACCOUNT,
            "Livechat escalation of type GENESYS. Each competency has an integration of its own.",
            &[
                ("transport", "cloud-open-messaging".into()),
                ("region", self.region.as_str().into()),
                ("client-id", self.client_id.as_str().into()),
                ("client-secret", json!({ "env": "GENESYS_CLIENT_SECRET" })),
                ("integration", Self::integration(bot, None).into()),
                ("webhook-secret", json!({ "env": "GENESYS_WEBHOOK_SECRET" })),
                ("competencies", competencies),
            ],
        );
        manifest.entry(
            "bots",
            ASSISTANT,
            "Asks for the identity and the competency, and escalates.",
            &[("flow", FLOW.into())],
        );
        manifest
    }

    fn dialogue(&self) -> Dialogue {
        let mut talk = Dialogue::default();
        talk.say("hello", "Hello, this is the assistant.");
        for (field, variable) in &self.identity {
            let answer = match *field {
                "email" => "ana@example.org",
                "firstName" => "Ana",
                _ => "Lima",
            };
            talk.ask(variable, &format!("Your {variable}, please?"), answer);
        }
        let served = self.rows.iter().find(|(_, queue)| !queue.is_empty());
        let mut config = json!({
            "identity": self.identity.iter().cloned().collect::<BTreeMap<_, _>>(),
            "competencies": self.rows.iter()
                .map(|(competency, queue)| json!({ "competency": competency, "queue": queue }))
                .collect::<Vec<_>>(),
            "withoutCompetency": self.without,
        });
        if !self.rows.is_empty() {
            let competency = served.or(self.rows.first());
            let answer = competency.map(|(it, _)| it.as_str()).unwrap_or_default();
            talk.ask("competency", "What is it about?", answer);
            config["competency"] = "{{ context.competency }}".into();
        }
        talk.ask("question", "What is your question?", "How does it work?");
        talk.then("escalate", "escalate", config);
        let queue = served.map_or(self.without.as_str(), |(_, queue)| queue.as_str());
        talk.step(json!({ "queue": if queue.is_empty() { QUEUE } else { queue } }));
        talk.talk(&Map::new());
        talk.lead("escalate", "userLeft", "back");
        talk.lead("escalate", "noAgent", "sorry");
        talk.lead("escalate", "error", "sorry");
        talk.through("completed");
        talk.say("back", "I am your assistant again.");
        talk.then("bye", "end", json!({ "text": "Goodbye." }));
        talk.step(json!({ "bot": "Goodbye." }));
        talk.step(json!({ "session": "closed", "reason": "Completed" }));
        let sorry = "No operator can be reached at the moment.";
        talk.then("sorry", "say", json!({ "text": sorry }));
        talk.lead("sorry", "next", "bye");
        talk
    }

    fn org(&self, bot: &str) -> Org {
        let mut queues = vec![QUEUE];
        let named = self.rows.iter().map(|(_, queue)| queue.as_str());
        for queue in named.chain([self.without.as_str()]) {
            if !queue.is_empty() && !queues.contains(&queue) {
                queues.push(queue);
            }
        }
        let mut org = Org::new(&queues);
        org.client(&self.client_id);
        let flow = "Inbound messages";
        org.add(
            "flows",
            &json!({ "name": flow, "transfer-to": { "find-queue": "QueueName", "default": QUEUE } }),
        );
        let own = std::iter::once(None);
        let competencies = self.rows.iter().map(|(it, _)| Some(it.as_str()));
        for competency in own.chain(competencies) {
            org.add(
                "integrations",
                &json!({
                    "name": Self::integration(bot, competency),
                    "flow": flow,
                    "secret": "simulated-webhook-secret",
                }),
            );
        }
        org
    }

    fn to_do(&self) -> Vec<String> {
        let mut to_do = vec![
            "Build your assistant into the flow, in front of the questions.".to_owned(),
            "Put the client's secret into `GENESYS_CLIENT_SECRET`, and the integrations' Outbound \
             Notification Webhook Signature Secret Token into `GENESYS_WEBHOOK_SECRET`."
                .to_owned(),
            "Dydu's integrations post to Dydu. To take them over, write `[accounts.genesys.provision]` with \
             your `webhook`, and run `handoff provision DIR --mend`: from then on Dydu gets nothing more."
                .to_owned(),
        ];
        let no_queue = self.rows.iter().filter(|(_, queue)| queue.is_empty());
        let no_queue: Vec<&str> = no_queue.map(|(it, _)| it.as_str()).collect();
        if !no_queue.is_empty() {
            to_do.push(format!(
                "Nothing needs to be done for {}: without a queue their users go where those without a \
                 competency go, as at Dydu.",
                name_list(no_queue)
            ));
        }
        to_do
    }

    fn carried(&self) -> Vec<(String, String)> {
        let node = format!("node `escalate` of `flows/{FLOW}.json`");
        let mut carried = vec![(
            "the connector".to_owned(),
            format!("account `{ACCOUNT}` in `project.toml`"),
        )];
        for (field, variable) in &self.identity {
            carried.push((
                format!("identity: `{variable}`"),
                format!("`identity.{field}` of the {node}"),
            ));
        }
        for (competency, queue) in &self.rows {
            carried.push((
                format!("competency {competency}, queue {}", or_none(queue)),
                format!("`competencies` of the {node}"),
            ));
        }
        carried.push((
            format!("without competency, queue {}", or_none(&self.without)),
            format!("`withoutCompetency` of the {node}"),
        ));
        carried
    }
}

fn or_none(queue: &str) -> &str {
    if queue.is_empty() { "none" } else { queue }
}

/// Competencies and queues of a table. Its first line names the columns, in any order.
fn rows_of(table: &Source) -> Result<Vec<(String, String, Place)>, ImportError> {
    // Spreadsheets begin files with a mark of their encoding.
    let text = table.text.trim_start_matches('\u{feff}');
    let (named, text) = named_delimiter(text);
    let at = |start: u64, end: u64| {
        let mark = table.text.len() - text.len();
        let offset = |it: u64| usize::try_from(it).map_or(usize::MAX, |it| it.saturating_add(mark));
        let offset = |it: u64| offset(it).min(table.text.len());
        place_at(&table.file, &table.text, offset(start)..offset(end))
    };
    // Where the comma is the decimal sign, spreadsheets write semicolons.
    let first = text.lines().next().unwrap_or_default();
    let likely = b"\t;".iter().find(|it| first.as_bytes().contains(it));
    let delimiter = named.or(likely.copied()).unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let bad = |error: &csv::Error| {
        let byte = error.position().map_or(0, csv::Position::byte);
        Diagnostic::error(
            "import.bad_table",
            at(byte, byte),
            format!("this is no table: {error}"),
        )
        .help("write a first line 'competency,queue', and below it one line for each competency")
    };
    let headers = reader.headers().map_err(|error| bad(&error))?.clone();
    let column = |label: Label| -> Result<usize, ImportError> {
        let found = headers.iter().position(|header| form::is(label, header));
        found.ok_or_else(|| {
            let name = label.first().copied().unwrap_or_default();
            Diagnostic::error(
                "import.no_column",
                at(0, u64::try_from(first.len()).unwrap_or_default()),
                format!("the table has no column '{name}'"),
            )
            .help("write a first line 'competency,queue'")
            .into()
        })
    };
    let (competency, queue) = (column(COMPETENCY_COLUMN)?, column(QUEUE_COLUMN)?);
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| bad(&error))?;
        // The position may be that of the end of the line before.
        let byte = record.position().map_or(0, csv::Position::byte);
        let breaks = text
            .bytes()
            .skip(usize::try_from(byte).unwrap_or(usize::MAX));
        let breaks = breaks.take_while(|it| matches!(it, b'\r' | b'\n')).count();
        let byte = byte + breaks as u64;
        let cell = |index| record.get(index).unwrap_or_default().to_owned();
        rows.push((cell(competency), cell(queue), at(byte, byte)));
    }
    Ok(rows)
}

/// The delimiter that a spreadsheet names in a line of its own, `sep=;`, and what comes after it.
fn named_delimiter(text: &str) -> (Option<u8>, &str) {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    match first
        .trim_end_matches('\r')
        .strip_prefix("sep=")
        .map(str::as_bytes)
    {
        Some([delimiter]) => (Some(*delimiter), rest),
        _ => (None, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_read_as_spreadsheets_save_them() {
        for (head, sign) in [
            ("", ','),
            ("", ';'),
            ("", '\t'),
            ("sep=;\r\n", ';'),
            ("sep=\t\n", '\t'),
            ("sep=|\n", '|'),
        ] {
            for mark in ["", "\u{feff}"] {
                let text = format!("{mark}{head}competency{sign}queue\r\nSales{sign}Orders\r\n");
                let file = "table.csv".to_owned();
                let Ok(rows) = rows_of(&Source { file, text }) else {
                    panic!("{head:?} {sign:?} is not read");
                };
                assert_eq!(rows.len(), 1);
                let (competency, queue, place) = &rows[0];
                assert_eq!((competency.as_str(), queue.as_str()), ("Sales", "Orders"));
                assert_eq!(place.line, if head.is_empty() { 2 } else { 3 });
            }
        }
    }
}
