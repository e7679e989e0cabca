//! Compiled components are kept on disk.

use handoff_engine::{Component, Engine};
use std::fs;
use std::path::{Path, PathBuf};

async fn start(directory: &Path) -> Engine {
    let say = Component {
        name: "say".to_owned(),
        bytes: built_nodes::component("say"),
    };
    let engine = Engine::builder().cache(directory).components([say]);
    engine.build().await.expect("loads")
}

fn only_file(directory: &Path) -> PathBuf {
    let mut files = fs::read_dir(directory).expect("is there");
    let file = files.next().expect("one file").expect("reads").path();
    assert!(files.next().is_none(), "one file for one component");
    file
}

#[tokio::test]
async fn what_was_compiled_once_is_found_again_and_what_is_damaged_is_compiled_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let directory = folder.path().join("compiled");
    start(&directory).await;
    let file = only_file(&directory);
    let whole = fs::read(&file).expect("reads");
    let written = |path: &Path| fs::metadata(path).expect("is there").modified();
    let first = written(&file).expect("is known");
    let engine = start(&directory).await;
    assert_eq!(engine.nodes().count(), 1);
    assert_eq!(
        written(&file).expect("is known"),
        first,
        "nothing was written"
    );
    for damaged in [
        &whole[..whole.len() / 2],
        b"",
        b"not code at all, and long enough for a digest",
    ] {
        fs::write(&file, damaged).expect("writes");
        let engine = start(&directory).await;
        assert_eq!(engine.nodes().count(), 1);
        assert_eq!(fs::read(&file).expect("reads"), whole, "it is whole again");
    }
}
