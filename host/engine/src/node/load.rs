//! From a file to a node that can run: compiled, linked, described.
//!
//! Each stage has its own error, so that an author knows which one the component failed: is it a
//! component at all, was it built against this contract, does it import only what the host offers, is
//! it small enough, does it describe itself. Everything that can be told without compiling is told
//! before. Compiling happens on threads of its own, so that nobody else waits for it.

use super::bindings::FlowNodePre;
use super::compiling::WorkError;
use super::descriptor::Descriptor;
use super::failure::StepFailure;
use super::icon::check_icon;
use super::limits::{MAX_COMPONENT, MAX_DESCRIPTOR, MAX_PARTS};
use super::node_text;
use super::outline::{Outline, OutlineError, Parts, outline};
use super::runtime::{Inner, Runtime, is_out_of_space};
use super::state::{StepHost, StepState};
use crate::diagnostic::name_list;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Compiling for longer is worth a line in the log.
const LONG: Duration = Duration::from_secs(1);

/// SHA-256 of a component.
pub(crate) type ComponentDigest = [u8; 32];

/// The version of the contract this host speaks.
pub const CONTRACT_VERSION: &str = "0.1.0";

const CONTRACT: &str = "handoff:node/";
const EXPORT: &str = "handoff:node/node@";

/// Interfaces a node may import, by the start of their names.
const OFFERED: [&str; 7] = [
    "handoff:node/",
    "wasi:cli/",
    "wasi:clocks/",
    "wasi:filesystem/",
    "wasi:http/",
    "wasi:io/",
    "wasi:random/",
];

/// A loaded node type.
pub struct Node {
    pub(super) runtime: Arc<Inner>,
    pub(super) pre: FlowNodePre<StepState>,
    pub(super) descriptor: Descriptor,
    pub(super) parts: Parts,
    validator: jsonschema::Validator,
    digest: [u8; 32],
    imports: Vec<String>,
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node")
            .field("type", &self.descriptor.node_type)
            .field("version", &self.descriptor.version)
            .finish_non_exhaustive()
    }
}

/// A file that cannot be used as a node.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LoadError {
    /// Not WebAssembly.
    #[error(
        "{file} is not a WebAssembly file (it starts with {start}). Build the node with \
         'cargo build --target wasm32-wasip2' and use the .wasm file under target/"
    )]
    NotWasm {
        /// The file.
        file: String,
        /// Its first bytes.
        start: String,
    },
    /// WebAssembly, but no component.
    #[error(
        "{file} is a core WebAssembly module, not a component. Build it for the target \
         'wasm32-wasip2', which makes components, or wrap it with 'wasm-tools component new'"
    )]
    CoreModule {
        /// The file.
        file: String,
    },
    /// Damaged.
    #[error("{file} is damaged or of a kind this host does not know: {reason}. Build it again")]
    Malformed {
        /// The file.
        file: String,
        /// What the parser says.
        reason: String,
    },
    /// A component, but no node.
    #[error(
        "{file} is a component, but no flow node: it does not export 'handoff:node/node'. \
         It exports {exports}. Implement the world 'flow-node' of wit/"
    )]
    NotANode {
        /// The file.
        file: String,
        /// What it exports.
        exports: String,
    },
    /// A node for another host.
    #[error(
        "{file} was built against handoff:node@{found}; this host speaks handoff:node@{CONTRACT_VERSION}. \
         Rebuild the node with the wit/ directory of this host's version"
    )]
    ContractVersion {
        /// The file.
        file: String,
        /// The version it was built against.
        found: String,
    },
    /// It wants something the host does not offer.
    #[error(
        "{file} imports {imports}, which this host does not offer. A node may import the interfaces \
         of handoff:node@{CONTRACT_VERSION}, wasi:http and WASI 0.2 without sockets; remove the \
         dependency that needs it"
    )]
    ImportRefused {
        /// The file.
        file: String,
        /// The interfaces.
        imports: String,
    },
    /// It is larger than any node.
    #[error("{file} is {bytes} bytes long; a node may have {MAX_COMPONENT}")]
    TooLarge {
        /// The file.
        file: String,
        /// How long it is.
        bytes: usize,
    },
    /// It would take too much of what all nodes share.
    #[error(
        "{file} consists of {found} {what}, all that it instantiates taken together; {limit} are allowed. \
         Build it as fewer parts"
    )]
    TooManyParts {
        /// The file.
        file: String,
        /// Core instances, memories or tables.
        what: &'static str,
        /// How many there are.
        found: u64,
        /// How many there may be.
        limit: u64,
    },
    /// How much it would take cannot be told.
    #[error(
        "{file} cannot be used: {reason}, so that nobody can tell before how much it takes. Compose it of \
         plain components"
    )]
    Unbounded {
        /// The file.
        file: String,
        /// What it does.
        reason: String,
    },
    /// This machine cannot load it.
    #[error(
        "{file} cannot be loaded here, which is not its fault: {reason}. Raise the limit on virtual memory \
         ('ulimit -v', or LimitAS of a service)"
    )]
    NoSpace {
        /// The file.
        file: String,
        /// What the system says.
        reason: String,
    },
    /// The names are right and the types are not.
    #[error(
        "{file} does not fit handoff:node@{CONTRACT_VERSION}: {reason}. Its copy of wit/ differs from \
         this host's; rebuild the node with the wit/ directory of this host's version"
    )]
    Mismatch {
        /// The file.
        file: String,
        /// Which item differs.
        reason: String,
    },
    /// `describe` failed.
    #[error("{file} cannot be described: {failure}")]
    Describe {
        /// The file.
        file: String,
        /// How it failed.
        failure: StepFailure,
    },
    /// `describe` gave something else than a descriptor.
    #[error("{file} describes itself wrongly: {reason}")]
    BadDescriptor {
        /// The file.
        file: String,
        /// What is wrong.
        reason: String,
    },
}

impl LoadError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotWasm { .. } => "node.not_wasm",
            Self::CoreModule { .. } => "node.core_module",
            Self::Malformed { .. } => "node.malformed",
            Self::NotANode { .. } => "node.not_a_node",
            Self::ContractVersion { .. } => "node.contract_version",
            Self::ImportRefused { .. } => "node.import_refused",
            Self::TooLarge { .. } => "node.too_large",
            Self::TooManyParts { .. } => "node.too_many_parts",
            Self::Unbounded { .. } => "node.unbounded",
            Self::NoSpace { .. } => "host.no_address_space",
            Self::Mismatch { .. } => "node.mismatch",
            Self::Describe { .. } => "node.describe_failed",
            Self::BadDescriptor { .. } => "node.bad_descriptor",
        }
    }
}

impl Node {
    /// Loads a component. `file` is what messages call it.
    pub async fn load(runtime: &Runtime, file: &str, bytes: &[u8]) -> Result<Self, LoadError> {
        let bytes: Arc<[u8]> = bytes.into();
        let digest = digest(runtime, file, &bytes).await?;
        Self::load_known(runtime, file, bytes, digest).await
    }

    /// Loads a component with this digest.
    pub(crate) async fn load_known(
        runtime: &Runtime,
        file: &str,
        bytes: Arc<[u8]>,
        digest: ComponentDigest,
    ) -> Result<Self, LoadError> {
        let inner = &runtime.0;
        let (name, host) = (file.to_owned(), Arc::clone(inner));
        let prepared = inner
            .workers
            .run(move || prepare(&host, &name, &digest, &bytes));
        let prepared = prepared.await.map_err(|error| undone(file, &error))??;
        let Prepared { pre, outline } = prepared;
        let parts = outline.parts;
        let text = describe(inner, file, &pre, parts).await?;
        let checked = inner.workers.run(move || check_descriptor(&text)).await;
        let (descriptor, validator) =
            checked
                .map_err(|error| undone(file, &error))?
                .map_err(|reason| LoadError::BadDescriptor {
                    file: file.to_owned(),
                    reason,
                })?;
        Ok(Self {
            runtime: Arc::clone(inner),
            pre,
            descriptor,
            parts,
            validator,
            digest,
            imports: outline.imports,
        })
    }

    /// What the node says about itself.
    #[must_use]
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// SHA-256 of the component.
    #[must_use]
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// The interfaces it imports, which are what it is permitted.
    #[must_use]
    pub fn imports(&self) -> &[String] {
        &self.imports
    }

    /// Whether it can ask for requests over HTTP.
    #[must_use]
    pub fn calls_out(&self) -> bool {
        self.imports
            .iter()
            .any(|import| import.starts_with("wasi:http/outgoing-handler"))
    }

    pub(crate) fn config_validator(&self) -> &jsonschema::Validator {
        &self.validator
    }
}

/// A component that is compiled and linked.
struct Prepared {
    pre: FlowNodePre<StepState>,
    outline: Outline,
}

/// SHA-256 of a component, on a thread that may take its time.
pub(crate) async fn digest(
    runtime: &Runtime,
    file: &str,
    bytes: &Arc<[u8]>,
) -> Result<ComponentDigest, LoadError> {
    let bytes = Arc::clone(bytes);
    let workers = &runtime.0.workers;
    let digest = workers.run(move || Sha256::digest(&*bytes).into()).await;
    digest.map_err(|error| undone(file, &error))
}

/// Work that was not done is the machine's fault, or ours.
fn undone(file: &str, error: &WorkError) -> LoadError {
    let (file, reason) = (file.to_owned(), error.to_string());
    match error {
        WorkError::NoThread(_) => LoadError::NoSpace { file, reason },
        WorkError::Panicked => LoadError::Malformed { file, reason },
    }
}

/// Checks, compiles and links a component. Takes long.
fn prepare(
    inner: &Inner,
    file: &str,
    digest: &ComponentDigest,
    bytes: &[u8],
) -> Result<Prepared, LoadError> {
    check_kind(file, bytes)?;
    let outline = outline(bytes).map_err(|error| {
        let file = file.to_owned();
        match error {
            OutlineError::Malformed(error) => LoadError::Malformed {
                file,
                reason: node_text::sentence(error.message().to_owned()),
            },
            OutlineError::HandedAround => LoadError::Unbounded {
                file,
                reason: error.to_string(),
            },
        }
    })?;
    check_export(file, &outline.exports)?;
    check_imports(file, &outline.imports)?;
    check_parts(file, outline.parts)?;
    let began = Instant::now();
    let component = inner.compile(digest, bytes).map_err(|error| {
        let (file, reason) = (file.to_owned(), first_line(&error));
        if is_out_of_space(&error) {
            LoadError::NoSpace { file, reason }
        } else {
            LoadError::Malformed { file, reason }
        }
    })?;
    let took = began.elapsed();
    if took > LONG {
        tracing::info!(
            component = file,
            seconds = took.as_secs_f32(),
            "a node was compiled"
        );
    }
    let mismatch = |error: wasmtime::Error| LoadError::Mismatch {
        file: file.to_owned(),
        reason: node_text::sentence(format!("{error:#}")),
    };
    let linked = inner.linker.instantiate_pre(&component).map_err(mismatch)?;
    let pre = FlowNodePre::new(linked).map_err(mismatch)?;
    Ok(Prepared { pre, outline })
}

fn check_parts(file: &str, parts: Parts) -> Result<(), LoadError> {
    let counted = [
        ("memories", parts.memories, MAX_PARTS.memories),
        ("tables", parts.tables, MAX_PARTS.tables),
        (
            "core instances",
            parts.core_instances,
            MAX_PARTS.core_instances,
        ),
    ];
    let over = counted.into_iter().find(|(_, found, limit)| found > limit);
    match over {
        None => Ok(()),
        Some((what, found, limit)) => Err(LoadError::TooManyParts {
            file: file.to_owned(),
            what,
            found,
            limit,
        }),
    }
}

/// A component starts with `\0asm`, version 13, layer 1; a core module with version 1, layer 0.
fn check_kind(file: &str, bytes: &[u8]) -> Result<(), LoadError> {
    let file = file.to_owned();
    if bytes.len() > MAX_COMPONENT {
        let bytes = bytes.len();
        return Err(LoadError::TooLarge { file, bytes });
    }
    match bytes {
        [0, b'a', b's', b'm', _, _, 1, 0, ..] => Ok(()),
        [0, b'a', b's', b'm', _, _, 0, 0, ..] => Err(LoadError::CoreModule { file }),
        [0, b'a', b's', b'm', ..] => Err(LoadError::Malformed {
            file,
            reason: "the header is incomplete or from the future".to_owned(),
        }),
        [] => Err(LoadError::NotWasm {
            file,
            start: "nothing: it is empty".to_owned(),
        }),
        other => Err(LoadError::NotWasm {
            file,
            start: format!(
                "{:?}",
                String::from_utf8_lossy(&other[..other.len().min(8)])
            ),
        }),
    }
}

fn check_export(file: &str, exports: &[String]) -> Result<(), LoadError> {
    let Some(version) = exports.iter().find_map(|name| name.strip_prefix(EXPORT)) else {
        return Err(LoadError::NotANode {
            file: file.to_owned(),
            exports: node_text::sentence(name_list(exports.iter().map(String::as_str))),
        });
    };
    if is_compatible(version) {
        return Ok(());
    }
    Err(LoadError::ContractVersion {
        file: file.to_owned(),
        found: node_text::name(version.to_owned()),
    })
}

/// Below 1.0 the minor version has to be the same; patches only add.
fn is_compatible(version: &str) -> bool {
    let minor = |version: &str| {
        let mut parts = version.split('.').map(str::to_owned);
        (parts.next(), parts.next())
    };
    minor(version) == minor(CONTRACT_VERSION)
}

fn check_imports(file: &str, imports: &[String]) -> Result<(), LoadError> {
    let refused: Vec<&str> = imports
        .iter()
        .map(String::as_str)
        .filter(|name| !OFFERED.iter().any(|offered| name.starts_with(offered)))
        .collect();
    if !refused.is_empty() {
        return Err(LoadError::ImportRefused {
            file: file.to_owned(),
            imports: node_text::sentence(name_list(refused)),
        });
    }
    let other = imports.iter().find_map(|name| {
        let (_, version) = name.strip_prefix(CONTRACT)?.split_once('@')?;
        (!is_compatible(version)).then(|| version.to_owned())
    });
    match other {
        Some(found) => Err(LoadError::ContractVersion {
            file: file.to_owned(),
            found: node_text::name(found),
        }),
        None => Ok(()),
    }
}

async fn describe(
    inner: &Inner,
    file: &str,
    pre: &FlowNodePre<StepState>,
    parts: Parts,
) -> Result<String, LoadError> {
    let (_, text) = inner
        .call(
            pre,
            parts,
            StepHost::default(),
            Default::default(),
            "describe",
            async |node, store| node.handoff_node_node().call_describe(store).await,
        )
        .await;
    let file = file.to_owned();
    text.map_err(|failure| match failure {
        StepFailure::NoSpace => LoadError::NoSpace {
            file,
            reason: "there is no memory for an instance".to_owned(),
        },
        failure => LoadError::Describe { file, failure },
    })
}

/// Reads a descriptor and checks what later steps rely on, or says what is wrong with it.
pub(crate) fn check_descriptor(text: &str) -> Result<(Descriptor, jsonschema::Validator), String> {
    checked_descriptor(text).map_err(node_text::sentence)
}

fn checked_descriptor(text: &str) -> Result<(Descriptor, jsonschema::Validator), String> {
    if text.len() > MAX_DESCRIPTOR {
        return Err(format!(
            "it is {} bytes long; {MAX_DESCRIPTOR} are allowed",
            text.len()
        ));
    }
    let mut descriptor = read_descriptor(text)?;
    check_name("'type'", descriptor.node_type.as_str())?;
    let mut names: Vec<&str> = descriptor
        .ports
        .iter()
        .map(|port| port.name.as_str())
        .collect();
    for name in &names {
        check_name("the name of a port", name)?;
    }
    names.sort_unstable();
    if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(format!("the port '{}' is declared twice", twice[0]));
    }
    check_icon(&descriptor.icon)?;
    check_references(&descriptor.config)?;
    let validator = jsonschema::validator_for(&descriptor.config)
        .map_err(|error| format!("'config' is not a JSON Schema: {error}"))?;
    descriptor.tidy();
    Ok((descriptor, validator))
}

/// A name is compared and shown, so it can be neither cut nor changed.
fn check_name(what: &str, name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err(format!("{what} is empty"));
    }
    if name.len() > node_text::NAME {
        return Err(format!(
            "{what} is {} bytes long; {} are allowed",
            name.len(),
            node_text::NAME
        ));
    }
    if name.chars().any(node_text::acts) {
        return Err(format!("{what} holds control characters: '{name}'"));
    }
    Ok(())
}

/// Nobody fetches anything to validate a config, and a file that happens to lie somewhere means nothing.
fn check_references(schema: &Value) -> Result<(), String> {
    let within: Vec<&Value> = match schema {
        Value::Object(members) => {
            for keyword in ["$ref", "$dynamicRef", "$recursiveRef"] {
                let refers = members.get(keyword).and_then(Value::as_str);
                if let Some(to) = refers.filter(|to| !to.starts_with('#')) {
                    return Err(format!(
                        "'config' refers to '{to}', which is outside of it; copy what is meant to '$defs' \
                         and refer to it as '#/$defs/...'"
                    ));
                }
            }
            members.values().collect()
        }
        Value::Array(items) => items.iter().collect(),
        _ => return Ok(()),
    };
    within.into_iter().try_for_each(check_references)
}

/// What every descriptor has.
const REQUIRED: [&str; 6] = ["type", "version", "label", "summary", "config", "ports"];

/// Reads a descriptor, or says what is wrong with it.
fn read_descriptor(text: &str) -> Result<Descriptor, String> {
    let value: serde_json::Value = serde_json::from_str(text)
        .map_err(|error| format!("'describe' returned something that is not JSON: {error}"))?;
    if !value.is_object() {
        return Err("'describe' returned JSON that is not an object".to_owned());
    }
    let missing: Vec<&str> = REQUIRED
        .into_iter()
        .filter(|member| value.get(member).is_none())
        .collect();
    if !missing.is_empty() {
        return Err(format!(
            "{} missing. wit/README.md lists what a descriptor holds",
            match missing.as_slice() {
                [one] => format!("the member '{one}' is"),
                several => format!("the members {} are", name_list(several.iter().copied())),
            }
        ));
    }
    serde_path_to_error::deserialize(value)
        .map_err(|error| format!("at '{}': {}", error.path(), error.inner()))
}

/// A wasmtime error without its backtrace.
pub(super) fn first_line(error: &wasmtime::Error) -> String {
    let text = format!("{error:#}");
    node_text::sentence(text.lines().next().unwrap_or_default().trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn described(config: &Value, edit: impl FnOnce(&mut Value)) -> Result<Descriptor, String> {
        let mut descriptor = json!({
            "type": "t", "version": "1", "label": "T", "summary": "S", "config": config,
            "ports": [{"name": "next"}],
        });
        edit(&mut descriptor);
        check_descriptor(&descriptor.to_string()).map(|(descriptor, _)| descriptor)
    }

    #[test]
    fn a_schema_that_refers_to_anything_outside_is_refused_in_one_sentence() {
        let targets = [
            "https://example.com/schema.json",
            "http://169.254.169.254/latest",
            "file:///etc/passwd",
            "other.json#/a",
            "//host/share",
            "urn:x",
        ];
        for target in targets {
            for keyword in ["$ref", "$dynamicRef", "$recursiveRef"] {
                let reference = json!({keyword: target});
                for schema in [
                    reference.clone(),
                    json!({"properties": {"a": reference}}),
                    json!({"allOf": [{"items": {"not": reference}}]}),
                    json!({"$defs": {"a": {"$defs": {"b": reference}}}}),
                ] {
                    let refused = described(&schema, |_| {}).expect_err("is refused");
                    assert!(refused.contains("outside of it"), "{refused}");
                    assert!(refused.contains(target), "{refused}");
                }
            }
        }
        let within = json!({"$defs": {"a": {}}, "properties": {"x": {"$ref": "#/$defs/a"}}});
        described(&within, |_| {}).expect("is fine");
    }

    #[test]
    fn names_in_a_descriptor_are_short_and_plain() {
        for name in ["", &"x".repeat(129), "a\u{1b}[2J", "a\nb", "\u{202e}b"] {
            let as_type = described(&json!({}), |it| it["type"] = json!(name));
            let as_port = described(&json!({}), |it| it["ports"][0]["name"] = json!(name));
            for refused in [as_type, as_port] {
                let refused = refused.expect_err("is refused");
                assert!(!refused.chars().any(node_text::acts), "{refused:?}");
            }
        }
    }

    #[test]
    fn an_icon_with_a_script_is_refused() {
        let icon = "<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>";
        let refused = described(&json!({}), |it| it["icon"] = json!(icon)).expect_err("is refused");
        assert!(refused.contains("'script'"), "{refused}");
    }

    #[test]
    fn what_people_read_is_kept_short_and_plain() {
        for member in ["version", "label", "summary", "category"] {
            let said = format!("\u{1b}]0;x\u{7}{}", "y".repeat(50_000));
            let kept = described(&json!({}), |it| it[member] = json!(said)).expect("is fine");
            let kept = serde_json::to_value(kept).expect("is JSON");
            let kept = kept[member].as_str().expect("is text").to_owned();
            assert!(kept.len() <= node_text::SENTENCE && !kept.chars().any(node_text::acts));
        }
    }
}
