//! A moto server in a process of its own.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use url::Url;

const SKIP: &str = "HANDOFF_SKIP_MOTO";
const REQUIREMENTS: &str = include_str!("requirements.txt");

/// Requests that are taken without a signature: those that make a user, a key and a permission, and the one
/// that confirms a sender.
const OPEN_REQUESTS: &str = "4";

/// Ends with this value.
pub(crate) struct Moto {
    url: Url,
    server: Child,
}

impl Moto {
    /// None if it is to be left out.
    pub(crate) fn start() -> Option<Self> {
        if std::env::var(SKIP).is_ok_and(|value| value == "1") {
            eprintln!("{SKIP}=1: moto was not run, and no signature was checked");
            return None;
        }
        let python = installed();
        let mut server = Command::new(python)
            .args(["-m", "moto.server", "-p", "0"])
            .env("INITIAL_NO_AUTH_ACTION_COUNT", OPEN_REQUESTS)
            .env("PYTHONUNBUFFERED", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(server.stderr.take().unwrap()).lines();
        let url = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, url) = line.split_once("Running on ")?;
            Url::parse(url.trim()).ok()
        });
        // Somebody has to read what it says, or it stands still.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Some(Self {
            url: url.unwrap(),
            server,
        })
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// A user who may send e-mail from one address. Gives the id of their key, and the key.
    pub(crate) async fn make_user(&self) -> (String, String) {
        let iam = "Version=2010-05-08&UserName=bot";
        self.open("iam", &format!("Action=CreateUser&{iam}")).await;
        let key = self
            .open("iam", &format!("Action=CreateAccessKey&{iam}"))
            .await;
        let policy = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C\
                      %22Action%22%3A%22ses%3A%2A%22%2C%22Resource%22%3A%22%2A%22%7D%5D%7D";
        self.open(
            "iam",
            &format!("Action=PutUserPolicy&{iam}&PolicyName=mail&PolicyDocument={policy}"),
        )
        .await;
        self.open(
            "ses",
            "Action=VerifyEmailIdentity&Version=2010-12-01&EmailAddress=care%40example.com",
        )
        .await;
        let part = |tag: &str| {
            let (_, rest) = key.split_once(&format!("<{tag}>")).unwrap();
            rest.split_once('<').unwrap().0.to_owned()
        };
        (part("AccessKeyId"), part("SecretAccessKey"))
    }

    /// One of the requests that need no signature.
    async fn open(&self, service: &str, form: &str) -> String {
        let host = match service {
            "ses" => "email.eu-west-1.amazonaws.com",
            _ => "iam.amazonaws.com",
        };
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=nobody/20260105/eu-west-1/{service}/aws4_request, \
             SignedHeaders=host, Signature=none"
        );
        let answer = handoff_genesys::http_client()
            .post(self.url.clone())
            .header("host", host)
            .header("authorization", authorization)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.to_owned())
            .send()
            .await
            .unwrap();
        assert!(answer.status().is_success(), "{form}");
        answer.text().await.unwrap()
    }

    /// Every e-mail that was sent.
    pub(crate) async fn mails(&self) -> Vec<serde_json::Value> {
        let url = self.url.join("moto-api/data.json").unwrap();
        let data: serde_json::Value = handoff_genesys::http_client()
            .get(url)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        data["ses"]["Message"]
            .as_array()
            .cloned()
            .unwrap_or_default()
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// The Python of a virtual environment in which moto is, made where it is missing.
fn installed() -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("moto");
    fs::create_dir_all(&directory).unwrap();
    let lock = File::create(directory.join(".lock")).unwrap();
    lock.lock().unwrap();
    let bin = if cfg!(windows) { "Scripts" } else { "bin" };
    let python = directory.join("venv").join(bin).join("python");
    // Equal to the list of requirements when nothing needs to be done.
    let installed = directory.join("installed.txt");
    if fs::read_to_string(&installed).is_ok_and(|present| present == REQUIREMENTS) {
        return python;
    }
    let list = directory.join("requirements.txt");
    fs::write(&list, REQUIREMENTS).unwrap();
    let venv = directory.join("venv");
    run(
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(venv),
        "make a virtual environment",
    );
    run(
        Command::new(&python)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "-r",
            ])
            .arg(list),
        "install moto, which needs PyPI once",
    );
    fs::write(installed, REQUIREMENTS).unwrap();
    python
}

fn run(command: &mut Command, what: &str) {
    match command.output() {
        Ok(output) if output.status.success() => {}
        Ok(output) => panic!(
            "Python could not {what} (Debian: apt-get install python3-venv; {SKIP}=1 leaves it out)\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        ),
        Err(error) if error.kind() == ErrorKind::NotFound => panic!(
            "python3 is not installed, and the stand-in for AWS needs it (Debian: apt-get install \
             python3-venv; {SKIP}=1 leaves it out)"
        ),
        Err(error) => panic!("Python cannot {what}: {error}"),
    }
}
