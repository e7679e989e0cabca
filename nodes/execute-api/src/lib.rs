//! The `executeApi` node: calls an API, by a connector of the project or by a request of its own.

mod answer;
mod aws;
mod config;
mod connector;
mod paths;
mod request;
mod template;
#[cfg(test)]
mod tests;

pub use config::Config;

use connector::Connector;
use handoff_node::{
    Capability, Category, Context, Descriptor, Fault, Key, Node, Outcome, Port, Problem, Trigger,
    is_template,
};
use serde_json::{Map, Value, json};

/// Calls an API.
#[derive(Debug)]
pub struct ExecuteApi;

impl Node for ExecuteApi {
    type Config = Config;
    type State = ();

    fn descriptor() -> Descriptor {
        Descriptor {
            type_name: "executeApi",
            version: env!("CARGO_PKG_VERSION"),
            label: "Execute API",
            summary: "Calls an API and keeps what it answers.",
            help: include_str!("../help.md"),
            category: Category::Data,
            icon: include_str!("../icon.svg"),
            ports: &[Port::NEXT, Port::ERROR],
            reads: &[],
            writes: &[
                Key::Config("/responseMapping"),
                Key::Config("/storeResponseIn"),
            ],
            capabilities: &[
                Capability::Context,
                Capability::Secrets,
                Capability::Connectors,
                Capability::Http,
            ],
            examples: include_str!("../examples.json"),
        }
    }

    fn validate(config: &Config) -> Vec<Problem> {
        let mut problems = Vec::new();
        match (&config.alias, &config.request) {
            (Some(_), Some(_)) => problems.push(Problem::at(
                "/request",
                "execute_api.both",
                "Both 'alias' and 'request' say what to call. Keep one of them.",
            )),
            (None, None) => problems.push(Problem::at(
                "",
                "execute_api.nothing",
                "Nothing says what to call. Write 'alias' with the name of a connector, or 'request'.",
            )),
            (Some(_), None) if !config.response_mapping.is_empty() => problems.push(Problem::at(
                "/responseMapping",
                "execute_api.mapped_twice",
                "A connector has its own ResponseMapping. Write the mapping there.",
            )),
            _ => {}
        }
        if let Some(request) = &config.request
            && !request.url.starts_with("https://")
            && !request.url.starts_with("http://")
            && !is_template(&request.url)
        {
            problems.push(Problem::at(
                "/request/url",
                "execute_api.bad_url",
                "This is no address. Write it whole, for example https://crm.example.com/customers.",
            ));
        }
        for (key, path) in &config.response_mapping {
            if is_template(path) {
                continue;
            }
            if let Err(error) = paths::check(path) {
                let key = key.replace('~', "~0").replace('/', "~1");
                problems.push(Problem::at(
                    format!("/responseMapping/{key}"),
                    "execute_api.bad_path",
                    format!("{}.", error.0),
                ));
            }
        }
        problems
    }

    fn step(
        context: &mut impl Context,
        config: Config,
        trigger: Trigger<()>,
    ) -> Result<Outcome, Fault> {
        let Trigger::Entered = trigger else {
            return Err(trigger.unexpected());
        };
        let connector = match (config.alias, config.request) {
            (Some(alias), None) => find(context, &alias)?,
            (None, Some(request)) => request.into_connector(config.response_mapping),
            _ => {
                return Err(Fault::invalid_config(
                    "execute_api.nothing",
                    "Either 'alias' or 'request' has to say what to call.",
                ));
            }
        };
        let input = input(context, config.input);
        let request = request::build(&connector, &input)?;
        let response = context
            .fetch(&request)
            .map_err(|error| answer::none(&connector, &request.url, &error))?;
        answer::check(&connector, &response)?;

        let body = answer::body(&connector, &response);
        let output = answer::mapped(&connector, &response, &body)?;
        if let Some(key) = config.store_response_in {
            let response_part = if connector.response_mapping.is_empty() {
                body
            } else {
                Value::Object(output.clone())
            };
            let headers: Map<String, Value> = response
                .headers
                .into_iter()
                .map(|(name, value)| (name, value.into()))
                .collect();
            let whole = json!({
                "response": response_part,
                "statusCode": response.status,
                "headers": headers,
            });
            context.set(&key, &whole)?;
        }
        for (key, value) in output {
            let value = match context.get(&key) {
                Some(before) => merged(before, value),
                None => value,
            };
            context.set(&key, &value)?;
        }
        Ok(Outcome::Leave(Port::NEXT))
    }
}

fn find(context: &impl Context, alias: &str) -> Result<Connector, Fault> {
    let document = context.connector(alias).ok_or_else(|| {
        Fault::invalid_config(
            "execute_api.unknown_alias",
            format!(
                "The project has no API connector with the Alias '{alias}'. Add its document to the \
                 folder connectors/, or correct the name."
            ),
        )
    })?;
    let document = serde_path_to_error::deserialize(document).map_err(|error| {
        Fault::invalid_config(
            "execute_api.bad_connector",
            format!(
                "The API connector '{alias}' is wrong at '{}': {}.",
                error.path(),
                error.inner()
            ),
        )
    })?;
    Connector::new(context, document)
}

/// What mappings read: the context, and before it what the config adds.
fn input(context: &impl Context, extra: std::collections::BTreeMap<String, Value>) -> Value {
    let mut input: Map<String, Value> = context
        .keys()
        .into_iter()
        .filter_map(|key| context.get(&key).map(|value| (key, value)))
        .collect();
    input.extend(extra);
    Value::Object(input)
}

/// An object with the members of another one, theirs first. Anything else is replaced.
fn merged(before: Value, new: Value) -> Value {
    match (before, new) {
        (Value::Object(mut before), Value::Object(new)) => {
            for (key, value) in new {
                let value = match before.remove(&key) {
                    Some(old) => merged(old, value),
                    None => value,
                };
                before.insert(key, value);
            }
            Value::Object(before)
        }
        (_, new) => new,
    }
}

handoff_node::export!(ExecuteApi);
