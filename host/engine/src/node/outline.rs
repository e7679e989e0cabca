//! What a component is made of, read before it is compiled.
//!
//! Compiling takes long and makes no promises about a file that nobody has vetted, so everything that
//! can refuse a component is decided on its outline: what it imports and exports, and how many core
//! instances, memories and tables one instance of it has. The counts are sums over everything that is
//! instantiated, however deeply nested.

use wasmparser::{
    ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentOuterAliasKind,
    ComponentTypeRef, Encoding, Instance, Parser, Payload,
};

/// What one instance of a component takes of a pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) core_instances: u64,
    pub(super) memories: u64,
    pub(super) tables: u64,
}

impl Parts {
    fn add(&mut self, other: Self) {
        self.core_instances = self.core_instances.saturating_add(other.core_instances);
        self.memories = self.memories.saturating_add(other.memories);
        self.tables = self.tables.saturating_add(other.tables);
    }
}

/// A component in outline.
#[derive(Debug, Default)]
pub(super) struct Outline {
    pub(super) imports: Vec<String>,
    pub(super) exports: Vec<String>,
    pub(super) parts: Parts,
}

/// A file that has no outline.
#[derive(Debug, thiserror::Error)]
pub(super) enum OutlineError {
    /// The bytes are no component.
    #[error(transparent)]
    Malformed(#[from] wasmparser::BinaryReaderError),
    /// What is instantiated is known only when it runs.
    #[error("it instantiates modules or components that are handed around as values")]
    HandedAround,
}

/// A component that is being read. An item that is handed in from elsewhere has no parts here.
#[derive(Default)]
struct Scope {
    components: Vec<Option<Parts>>,
    modules: Vec<Option<Parts>>,
    parts: Parts,
}

enum Level {
    Component(Scope),
    Module(Parts),
}

/// Reads the outline of a component.
pub(super) fn outline(bytes: &[u8]) -> Result<Outline, OutlineError> {
    let mut outline = Outline::default();
    let mut levels: Vec<Level> = Vec::new();
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload?;
        let outermost = levels.len() == 1;
        match payload {
            Payload::Version { encoding, .. } => levels.push(match encoding {
                Encoding::Component => Level::Component(Scope::default()),
                Encoding::Module => Level::Module(Parts::default()),
            }),
            Payload::End(_) => match (levels.pop(), levels.last_mut()) {
                (Some(Level::Component(done)), Some(Level::Component(around))) => {
                    around.components.push(Some(done.parts));
                }
                (Some(Level::Module(done)), Some(Level::Component(around))) => {
                    around.modules.push(Some(done));
                }
                (Some(Level::Component(done)), None) => outline.parts = done.parts,
                _ => {}
            },
            Payload::MemorySection(section) => {
                if let Some(Level::Module(parts)) = levels.last_mut() {
                    parts.memories += u64::from(section.count());
                }
            }
            Payload::TableSection(section) => {
                if let Some(Level::Module(parts)) = levels.last_mut() {
                    parts.tables += u64::from(section.count());
                }
            }
            Payload::ComponentImportSection(section) => {
                for import in section {
                    let import = import?;
                    if outermost {
                        outline.imports.push(import.name.name.to_owned());
                    }
                    let scope = scope(&mut levels)?;
                    match import.ty {
                        ComponentTypeRef::Component(_) => scope.components.push(None),
                        ComponentTypeRef::Module(_) => scope.modules.push(None),
                        _ => {}
                    }
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section {
                    let export = export?;
                    if outermost {
                        outline.exports.push(export.name.name.to_owned());
                    }
                    let scope = scope(&mut levels)?;
                    match export.kind {
                        ComponentExternalKind::Component => {
                            let again = known(&scope.components, export.index);
                            scope.components.push(again);
                        }
                        ComponentExternalKind::Module => {
                            let again = known(&scope.modules, export.index);
                            scope.modules.push(again);
                        }
                        _ => {}
                    }
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section {
                    aliased(&mut levels, &alias?)?;
                }
            }
            Payload::InstanceSection(section) => {
                for instance in section {
                    if let Instance::Instantiate { module_index, .. } = instance? {
                        let scope = scope(&mut levels)?;
                        let parts = known(&scope.modules, module_index);
                        scope.parts.add(parts.ok_or(OutlineError::HandedAround)?);
                        scope.parts.core_instances = scope.parts.core_instances.saturating_add(1);
                    }
                }
            }
            Payload::ComponentInstanceSection(section) => {
                for instance in section {
                    if let ComponentInstance::Instantiate {
                        component_index, ..
                    } = instance?
                    {
                        let scope = scope(&mut levels)?;
                        let parts = known(&scope.components, component_index);
                        scope.parts.add(parts.ok_or(OutlineError::HandedAround)?);
                        // Calls between components go by adapters, which are core instances too.
                        scope.parts.core_instances = scope.parts.core_instances.saturating_add(1);
                    }
                }
            }
            _ => {}
        }
    }
    Ok(outline)
}

fn aliased(levels: &mut [Level], alias: &ComponentAlias<'_>) -> Result<(), OutlineError> {
    match *alias {
        ComponentAlias::InstanceExport { kind, .. } => {
            let scope = scope(levels)?;
            match kind {
                ComponentExternalKind::Component => scope.components.push(None),
                ComponentExternalKind::Module => scope.modules.push(None),
                _ => {}
            }
        }
        ComponentAlias::Outer { kind, count, index } => {
            let from = (levels.len())
                .checked_sub(1 + count as usize)
                .and_then(|level| levels.get(level));
            let Some(Level::Component(from)) = from else {
                return Err(OutlineError::HandedAround);
            };
            match kind {
                ComponentOuterAliasKind::Component => {
                    let parts = known(&from.components, index);
                    scope(levels)?.components.push(parts);
                }
                ComponentOuterAliasKind::CoreModule => {
                    let parts = known(&from.modules, index);
                    scope(levels)?.modules.push(parts);
                }
                _ => {}
            }
        }
        ComponentAlias::CoreInstanceExport { .. } => {}
    }
    Ok(())
}

fn known(items: &[Option<Parts>], index: u32) -> Option<Parts> {
    items.get(index as usize).copied().flatten()
}

/// The component that is being read. Sections of components cannot stand in a module.
fn scope(levels: &mut [Level]) -> Result<&mut Scope, OutlineError> {
    match levels.last_mut() {
        Some(Level::Component(scope)) => Ok(scope),
        _ => Err(OutlineError::HandedAround),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Result<Parts, OutlineError> {
        let bytes = wat::parse_str(text).expect("is text format");
        outline(&bytes).map(|outline| outline.parts)
    }

    #[test]
    fn what_is_instantiated_is_counted_wherever_it_stands() {
        let counted = parts(
            "(component $top
               (core module $m (memory 1) (memory 1) (table 3 funcref))
               (component $inner
                 (alias outer $top $m (core module $again))
                 (core instance (instantiate $again))
                 (core instance (instantiate $again)))
               (instance (instantiate $inner))
               (instance (instantiate $inner))
               (core instance (instantiate $m)))",
        );
        // Two adapters are reckoned with, one for each component.
        let expected = Parts {
            core_instances: 7,
            memories: 10,
            tables: 5,
        };
        assert_eq!(counted.expect("is a component"), expected);
    }

    #[test]
    fn a_component_that_doubles_at_every_level_is_counted_without_being_unfolded() {
        let mut text =
            "(component $c0 (core module $m (memory 1)) (core instance (instantiate $m)))"
                .to_owned();
        for level in 1..60 {
            let under = level - 1;
            text = format!(
                "(component $c{level} {text}
                   (instance (instantiate $c{under})) (instance (instantiate $c{under})))"
            );
        }
        let counted = parts(&text).expect("is a component");
        assert_eq!(counted.memories, 1 << 59);
    }

    #[test]
    fn what_is_handed_around_cannot_be_counted() {
        let counted = parts(
            "(component
               (component $inner
                 (import \"m\" (core module $m))
                 (core instance (instantiate $m))))",
        );
        assert!(matches!(counted, Err(OutlineError::HandedAround)));
    }
}
