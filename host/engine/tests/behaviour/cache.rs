//! Compiled components are kept on disk, and only what this user put there is run.

use handoff_engine::{Component, Engine};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use tempfile::TempDir;

/// A cache and its key, in a folder each.
struct Kept {
    folder: TempDir,
}

impl Kept {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { folder }
    }

    fn directory(&self) -> PathBuf {
        self.folder.path().join("compiled")
    }

    fn key(&self) -> PathBuf {
        self.folder.path().join("user").join("cache.key")
    }

    /// Starts an engine with a node.
    async fn start(&self) {
        self.start_with(&self.key()).await;
    }

    async fn start_with(&self, key: &Path) {
        let end = Component {
            name: "end".to_owned(),
            bytes: built_nodes::component("end"),
        };
        let engine = Engine::builder().cache(self.directory()).cache_key(key);
        let engine = engine.components([end]).build().await.expect("loads");
        assert_eq!(engine.nodes().count(), 1);
    }

    fn files(&self) -> Vec<PathBuf> {
        fs::read_dir(self.directory()).map_or_else(
            |_| Vec::new(),
            |files| files.map(|it| it.expect("reads").path()).collect(),
        )
    }

    fn only_file(&self) -> PathBuf {
        let mut files = self.files();
        assert_eq!(files.len(), 1, "one file for one component");
        files.remove(0)
    }

    /// When the only file was written; what is found there is not written again.
    fn written(&self) -> SystemTime {
        let found = fs::metadata(self.only_file()).expect("is there");
        found.modified().expect("is known")
    }
}

#[tokio::test]
async fn what_was_compiled_once_is_found_again_and_what_is_damaged_is_compiled_anew() {
    let kept = Kept::new();
    kept.start().await;
    let file = kept.only_file();
    let whole = fs::read(&file).expect("reads");
    let first = kept.written();
    kept.start().await;
    assert_eq!(kept.written(), first, "nothing was written");
    let mut changed = whole.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    let damaged = [
        &whole[..whole.len() / 2],
        &changed,
        b"",
        b"not code at all, and long enough for a digest",
    ];
    for damaged in damaged {
        fs::write(&file, damaged).expect("writes");
        kept.start().await;
        assert_eq!(fs::read(&file).expect("reads"), whole, "it is whole again");
    }
}

/// What somebody else made carries the digests that anybody can make, and no code of this user's.
#[tokio::test]
async fn what_another_user_compiled_is_compiled_anew() {
    let kept = Kept::new();
    let theirs = kept.folder.path().join("theirs.key");
    kept.start_with(&theirs).await;
    let planted = fs::read(kept.only_file()).expect("reads");
    kept.start().await;
    let ours = fs::read(kept.only_file()).expect("reads");
    assert_ne!(planted, ours);
    assert_eq!(
        planted[32..],
        ours[32..],
        "the same code, under another key"
    );
    // Nor does a file count under the name of another component.
    let renamed = kept.only_file().with_file_name("0.compiled");
    fs::rename(kept.only_file(), &renamed).expect("renames");
    kept.start().await;
    let mut files = kept.files();
    files.retain(|file| *file != renamed);
    let again = fs::read(&files[0]).expect("reads");
    assert_eq!(again, ours, "it was compiled anew");
}

#[cfg(unix)]
mod rights {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn change(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("is ours");
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("is there").permissions().mode() & 0o777
    }

    #[tokio::test]
    async fn nobody_else_can_read_or_write_what_is_made() {
        let kept = Kept::new();
        kept.start().await;
        assert_eq!(mode(&kept.directory()), 0o700);
        assert_eq!(mode(&kept.only_file()), 0o600);
        assert_eq!(mode(&kept.key()), 0o600);
    }

    #[tokio::test]
    async fn a_directory_that_others_can_write_is_not_used() {
        for open in [0o770, 0o707, 0o777, 0o1777] {
            let kept = Kept::new();
            fs::create_dir(kept.directory()).expect("is made");
            change(&kept.directory(), open);
            kept.start().await;
            assert_eq!(kept.files(), Vec::<PathBuf>::new(), "{open:o}");
        }
    }

    #[tokio::test]
    async fn a_file_that_others_can_write_is_compiled_anew() {
        for open in [0o620, 0o602, 0o666] {
            let kept = Kept::new();
            kept.start().await;
            change(&kept.only_file(), open);
            kept.start().await;
            assert_eq!(
                mode(&kept.only_file()),
                0o600,
                "{open:o}: it was written anew"
            );
        }
    }

    #[tokio::test]
    async fn a_key_that_others_can_read_opens_nothing() {
        for open in [0o640, 0o604, 0o644, 0o660] {
            let kept = Kept::new();
            kept.start().await;
            let first = kept.written();
            change(&kept.key(), open);
            fs::remove_file(kept.only_file()).expect("removes");
            kept.start().await;
            assert_eq!(kept.files(), Vec::<PathBuf>::new(), "{open:o}, {first:?}");
        }
    }

    #[tokio::test]
    async fn something_else_in_the_place_of_a_file_is_left_alone() {
        let kept = Kept::new();
        kept.start().await;
        let file = kept.only_file();
        fs::remove_file(&file).expect("removes");
        fs::create_dir(&file).expect("is made");
        kept.start().await;
        assert!(file.is_dir());
        let pipe = kept.folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        if made.is_ok_and(|status| status.success()) {
            change(&pipe, 0o600);
            kept.start_with(&pipe).await;
        }
    }
}
