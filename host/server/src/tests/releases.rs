//! A project's directory is edited while hosts come and go.

use super::support::{NoSecrets, components, empty_engine, host_key, project_files};
use crate::Host;
use crate::releases::{Archive, AtStart, DeployError, Deployments, ReleaseError, Releases, Reload};
use handoff_engine::name::SessionId;
use handoff_engine::project::Project;
use handoff_store::{MemoryStore, Store};
use std::path::Path;
use std::sync::Arc;
use tokio::sync::mpsc;

/// A directory with a project in it, and its archive.
struct Bench {
    folder: tempfile::TempDir,
    releases: Releases,
    store: Arc<MemoryStore>,
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let archive = Archive::open(folder.path().join(".handoff/versions")).expect("is made");
        let engine = empty_engine().await;
        let releases = Releases::new(&engine, components(), folder.path(), archive);
        let bench = Self {
            folder,
            releases,
            store: Arc::default(),
        };
        bench.save("first");
        bench
    }

    /// Saves the project under this name.
    fn save(&self, name: &str) {
        for (path, text) in project_files(name).0 {
            self.write(&path, &text);
        }
    }

    fn write(&self, path: &str, text: &str) {
        write(&self.folder.path().join(path), text);
    }

    fn deployments(&self, host: &Host) -> Deployments {
        Deployments::new(host, self.releases.clone(), Arc::new(NoSecrets))
    }

    async fn at_start(&self) -> AtStart {
        let at_start = self.releases.at_start(&*self.store).await;
        at_start.expect("the directory is a project")
    }

    /// A host that starts on what there is now.
    async fn host(&self) -> Host {
        let AtStart {
            current, earlier, ..
        } = self.at_start().await;
        let store: Arc<MemoryStore> = Arc::clone(&self.store);
        let mut builder = Host::builder(current).store(store, &host_key());
        for project in earlier {
            builder = builder.earlier(project);
        }
        builder.start(&NoSecrets).await.expect("starts")
    }
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().expect("is in a folder")).expect("is made");
    std::fs::write(path, text).expect("is written");
}

async fn start(host: &Host, session: &str) {
    let started = host.start_session(SessionId::new(session), None, None);
    started.await.expect("starts");
}

fn names(projects: &[Arc<Project>]) -> Vec<&str> {
    projects.iter().map(|project| project.name()).collect()
}

#[tokio::test]
async fn a_host_starts_with_the_directory_and_with_what_open_sessions_need() {
    let bench = Bench::new().await;
    let host = bench.host().await;
    start(&host, "a").await;
    host.stop();
    bench.save("second");
    let host = bench.host().await;
    start(&host, "b").await;
    let said = host.user_message(&"a".into(), "1", "an order").await;
    said.expect("its version is there");
    host.stop();
    bench.save("third");
    let AtStart {
        current, earlier, ..
    } = bench.at_start().await;
    assert_eq!(current.name(), "third");
    let mut earlier = names(&earlier);
    earlier.sort_unstable();
    assert_eq!(earlier, ["first", "second"]);
}

#[tokio::test]
async fn who_goes_back_stays_there_until_the_directory_changes() {
    let bench = Bench::new().await;
    let host = bench.host().await;
    let deployments = bench.deployments(&host);
    let first = host.project();
    bench.save("second");
    let second = deployments.reload().await.expect("loads");
    assert_eq!(second, Reload::Deployed(host.project().digest().to_owned()));
    // Even if what is there now is no project at all.
    bench.write("flows/main.json", "{ not JSON");
    let back = deployments.go_back_to(first.digest()).await;
    back.expect("is in the archive");
    assert_eq!(host.project().name(), "first");
    for _ in 0..2 {
        assert_eq!(bench.at_start().await.current.name(), "first");
    }
    bench.save("third");
    assert_eq!(bench.at_start().await.current.name(), "third");
    let unknown = deployments
        .go_back_to("nothing")
        .await
        .expect_err("no such");
    assert!(
        unknown.to_string().contains("is not in the archive"),
        "{unknown}"
    );
}

#[tokio::test]
async fn a_version_that_is_needed_and_gone_is_told() {
    let bench = Bench::new().await;
    let host = bench.host().await;
    start(&host, "a").await;
    host.stop();
    let first = host.project();
    let versions = bench.folder.path().join(".handoff/versions");
    std::fs::remove_file(versions.join(format!("{}.json", first.digest()))).expect("was there");
    bench.save("second");
    let AtStart {
        earlier, missing, ..
    } = bench.at_start().await;
    assert_eq!(names(&earlier), Vec::<&str>::new());
    assert_eq!(missing[0].0, first.digest());
    // Nothing is lost: the store still has the session.
    assert_eq!(bench.store.census().await.expect("reads").open.len(), 1);
}

#[tokio::test]
async fn what_was_changed_in_the_archive_or_lies_outside_of_it_is_not_served() {
    let bench = Bench::new().await;
    let host = bench.host().await;
    let deployments = bench.deployments(&host);
    let first = host.project();
    let kept = format!(".handoff/versions/{}.json", first.digest());
    let kept = bench.folder.path().join(kept);
    let text = std::fs::read_to_string(&kept).expect("was kept");
    bench.save("second");
    deployments.reload().await.expect("loads");
    let current = host.project().digest().to_owned();
    // Another version under this name, and one outside of the archive.
    let forged = text.replace("'first'", "'forged'");
    assert_ne!(forged, text);
    write(&kept, &forged);
    write(&bench.folder.path().join("evil/x.json"), &text);
    for (name, code) in [
        (first.digest(), "version.damaged"),
        ("../../evil/x", "version.unknown"),
        ("..%2F..%2Fevil%2Fx", "version.unknown"),
    ] {
        let error = deployments.go_back_to(name).await.expect_err("is refused");
        match error {
            DeployError::Release(ReleaseError::Archive(error)) => assert_eq!(error.code(), code),
            other => panic!("{other:?}"),
        }
        assert_eq!(host.project().digest(), current);
    }
    write(&kept, &text);
    let back = deployments.go_back_to(first.digest()).await;
    back.expect("is as it was kept");
}

#[tokio::test]
async fn what_is_saved_is_deployed_and_mistakes_change_nothing() {
    let bench = Bench::new().await;
    let host = bench.host().await;
    let (told, mut reloads) = mpsc::unbounded_channel();
    let tell = move |reload| told.send(reload).expect("the test listens");
    let watching = bench.deployments(&host).watch(tell);
    watching.expect("can be watched");
    // What the host keeps in a hidden directory is no change.
    bench.write(".handoff/other.json", "{");
    bench.save("second");
    match reloads.recv().await.expect("the host runs") {
        Ok(Reload::Deployed(digest)) => assert_eq!(host.project().digest(), digest),
        other => panic!("{other:?}"),
    }
    assert_eq!(host.project().name(), "second");
    bench.write("flows/main.json", "{ not JSON");
    match reloads.recv().await.expect("the host runs") {
        Err(error) => assert!(error.to_string().contains("main.json"), "{error}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(host.project().name(), "second");
    host.stop();
}
