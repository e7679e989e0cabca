//! Replays the seeds of the fuzz targets in ordinary tests.
//!
//! A seed is a file in `fuzz/seeds/<target>`: an example worth starting from, or an input that once
//! broke something. `cargo xtask test` runs each once, so that what fuzzing has found stays found.

use std::fs;
use std::path::{Path, PathBuf};

/// Runs a target's check on each of its seeds.
///
/// # Panics
///
/// If a check does, after naming the seed on standard error; and if the target has no seeds.
pub fn replay(target: &str, check: fn(&[u8])) {
    let seeds = seeds_of(target);
    assert!(!seeds.is_empty(), "fuzz/seeds/{target} has no seeds");
    for seed in seeds {
        let bytes = fs::read(&seed)
            .unwrap_or_else(|error| panic!("{} cannot be read: {error}", seed.display()));
        eprintln!("seed {}", seed.display());
        check(&bytes);
    }
}

/// The folder of the fuzz targets.
fn folder() -> &'static Path {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    folder.expect("this package is inside the folder of the fuzz targets")
}

/// The seeds of a target, by name.
fn seeds_of(target: &str) -> Vec<PathBuf> {
    files_in(&folder().join("seeds").join(target))
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{} cannot be read: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a folder's entries can be read").path())
        .collect();
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_seeds_and_a_place_in_the_manifest() {
        let manifest = fs::read_to_string(folder().join("Cargo.toml")).expect("the manifest");
        for target in files_in(&folder().join("fuzz_targets")) {
            let name = target.file_stem().and_then(|name| name.to_str());
            let name = name.expect("targets have plain names");
            assert!(!seeds_of(name).is_empty(), "no seeds for {name}");
            let place = format!("path = \"fuzz_targets/{name}.rs\"");
            assert!(
                manifest.contains(&place),
                "{name} is not in fuzz/Cargo.toml"
            );
        }
    }
}
