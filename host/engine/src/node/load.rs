//! From a file to a node that can run: compiled, linked, described.
//!
//! Each stage has its own error, so that an author knows which one the component failed: is it a
//! component at all, does it import only what the host offers, was it built against this contract,
//! does it describe itself.

use super::bindings::FlowNodePre;
use super::descriptor::Descriptor;
use super::failure::StepFailure;
use super::runtime::{Inner, Runtime};
use super::state::StepHost;
use crate::diagnostic::name_list;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use wasmtime::component::Component;

use super::state::StepState;

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
#[derive(Debug, thiserror::Error)]
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
            Self::Mismatch { .. } => "node.mismatch",
            Self::Describe { .. } => "node.describe_failed",
            Self::BadDescriptor { .. } => "node.bad_descriptor",
        }
    }
}

impl Node {
    /// Loads a component. `file` is what messages call it.
    pub async fn load(runtime: &Runtime, file: &str, bytes: &[u8]) -> Result<Self, LoadError> {
        let inner = &runtime.0;
        check_kind(file, bytes)?;
        let component = inner.compile(bytes).map_err(|error| LoadError::Malformed {
            file: file.to_owned(),
            reason: first_line(&error),
        })?;
        check_export(inner, file, &component)?;
        let imports = check_imports(inner, file, &component)?;
        let mismatch = |error: wasmtime::Error| LoadError::Mismatch {
            file: file.to_owned(),
            reason: format!("{error:#}").replace('\n', " "),
        };
        let linked = inner.linker.instantiate_pre(&component).map_err(mismatch)?;
        let pre = FlowNodePre::new(linked).map_err(mismatch)?;
        let (descriptor, validator) = describe(inner, file, &pre).await?;
        Ok(Self {
            runtime: Arc::clone(inner),
            pre,
            descriptor,
            validator,
            digest: Sha256::digest(bytes).into(),
            imports,
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

/// A component starts with `\0asm`, version 13, layer 1; a core module with version 1, layer 0.
fn check_kind(file: &str, bytes: &[u8]) -> Result<(), LoadError> {
    let file = file.to_owned();
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

fn check_export(inner: &Inner, file: &str, component: &Component) -> Result<(), LoadError> {
    let component_type = component.component_type();
    let exports: Vec<&str> = component_type
        .exports(&inner.engine)
        .map(|(name, _)| name)
        .collect();
    let Some(version) = exports.iter().find_map(|name| name.strip_prefix(EXPORT)) else {
        return Err(LoadError::NotANode {
            file: file.to_owned(),
            exports: name_list(exports),
        });
    };
    if is_compatible(version) {
        return Ok(());
    }
    Err(LoadError::ContractVersion {
        file: file.to_owned(),
        found: version.to_owned(),
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

fn check_imports(
    inner: &Inner,
    file: &str,
    component: &Component,
) -> Result<Vec<String>, LoadError> {
    let component_type = component.component_type();
    let imports: Vec<String> = component_type
        .imports(&inner.engine)
        .map(|(name, _)| name.to_owned())
        .collect();
    let refused: Vec<&str> = imports
        .iter()
        .map(String::as_str)
        .filter(|name| !OFFERED.iter().any(|offered| name.starts_with(offered)))
        .collect();
    if !refused.is_empty() {
        return Err(LoadError::ImportRefused {
            file: file.to_owned(),
            imports: name_list(refused),
        });
    }
    let other = imports.iter().find_map(|name| {
        let (_, version) = name.strip_prefix(CONTRACT)?.split_once('@')?;
        (!is_compatible(version)).then(|| version.to_owned())
    });
    match other {
        Some(found) => Err(LoadError::ContractVersion {
            file: file.to_owned(),
            found,
        }),
        None => Ok(imports),
    }
}

async fn describe(
    inner: &Inner,
    file: &str,
    pre: &FlowNodePre<StepState>,
) -> Result<(Descriptor, jsonschema::Validator), LoadError> {
    let bad = |reason: String| LoadError::BadDescriptor {
        file: file.to_owned(),
        reason,
    };
    let text = inner
        .call(
            pre,
            StepHost::default(),
            Default::default(),
            "describe",
            async |node, store| node.handoff_node_node().call_describe(store).await,
        )
        .await
        .1
        .map_err(|failure| LoadError::Describe {
            file: file.to_owned(),
            failure,
        })?;
    check_descriptor(&text).map_err(bad)
}

/// Reads a descriptor and checks what later steps rely on, or says what is wrong with it.
pub(crate) fn check_descriptor(text: &str) -> Result<(Descriptor, jsonschema::Validator), String> {
    let descriptor = read_descriptor(text)?;
    if descriptor.node_type.as_str().is_empty() {
        return Err("'type' is empty".to_owned());
    }
    let mut names: Vec<&str> = descriptor
        .ports
        .iter()
        .map(|port| port.name.as_str())
        .collect();
    names.sort_unstable();
    if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(format!("the port '{}' is declared twice", twice[0]));
    }
    let validator = jsonschema::validator_for(&descriptor.config)
        .map_err(|error| format!("'config' is not a JSON Schema: {error}"))?;
    Ok((descriptor, validator))
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
    text.lines().next().unwrap_or_default().trim().to_owned()
}
