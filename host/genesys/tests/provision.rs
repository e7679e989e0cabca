//! Integrations that are created, found again and mended, against a simulated organisation.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop there"
)]

use genesys_sim::{Control, Options, Org, Simulator};
use handoff_engine::account::{Account, OpenMessagingAccount, SecretRef};
use handoff_engine::clock::SystemClock;
use handoff_engine::name::AccountName;
use handoff_genesys::provision::{Lock, Manner, ProvisionError, Provisioned, State, provision};
use handoff_genesys::{SecretError, Secrets, http_client};
use std::sync::Arc;

const ORG: &str = r#"
name = "Acme"

[[divisions]]
name = "Home"

[[roles]]
name = "Provisioner"
permissions = ["messaging:integration:*", "routing:message:manage", "architect:flow:view"]

[[roles]]
name = "Five"
permissions = ["messaging:integration:add", "messaging:integration:view"]

[[oauth-clients]]
id = "provisioner"
secret = "provisioner-secret"
roles = [{ role = "Provisioner", division = "Home" }]

[[oauth-clients]]
id = "five"
secret = "five-secret"
roles = [{ role = "Five", division = "Home" }]

[[queues]]
name = "Support"
division = "Home"

[[flows]]
name = "Inbound"
transfer-to = { queue = "Support" }

[[flows]]
name = "Other"
transfer-to = { queue = "Support" }

[[integrations]]
name = "made by hand"
flow = "Other"
secret = "another-secret-of-16-or-more"
webhook = "https://elsewhere.example/hook"
"#;

const ACCOUNT: &str = r#"
transport = "cloud-open-messaging"
region = "mypurecloud.de"
client-id = "provisioner"
client-secret = { named = "provisioner-secret" }
integration = "bot"
webhook-secret = { named = "a-secret-of-16-or-more" }
competencies = { Marketing = "bot (Marketing)" }
provision = { webhook = "https://bots.example/w", flow = "Inbound" }
"#;

/// Secrets that are their own names.
struct Plain;

impl Secrets for Plain {
    fn resolve(&self, secret: &SecretRef) -> Result<String, SecretError> {
        match secret {
            SecretRef::Named(value) => Ok(value.clone()),
            other => Err(SecretError::new(format!("{other:?} is not a test secret"))),
        }
    }
}

struct Centre {
    control: Control,
    account: OpenMessagingAccount,
    lock: Lock,
    _simulator: Simulator,
}

impl Centre {
    async fn open() -> Self {
        Self::with("", "").await
    }

    /// With one part of the account written otherwise.
    async fn with(part: &str, otherwise: &str) -> Self {
        let org = Org::from_toml(ORG, "org.toml").unwrap();
        let simulator = Simulator::start(org, Options::default()).await.unwrap();
        let text = match part {
            "" => ACCOUNT.to_owned(),
            part => ACCOUNT.replace(part, otherwise),
        };
        let mut account: Account = toml::from_str(&text).unwrap();
        account.redirect_to(&simulator.base_url());
        let Account::CloudOpenMessaging(account) = account else {
            panic!("the test's account is of another transport");
        };
        Self {
            control: simulator.control(),
            account,
            lock: Lock::default(),
            _simulator: simulator,
        }
    }

    async fn try_provision(&mut self, manner: Manner) -> Result<Provisioned, ProvisionError> {
        let name = AccountName::new("acme");
        let clock = Arc::new(SystemClock);
        let (account, lock) = (&self.account, &mut self.lock);
        provision(&name, account, manner, lock, &Plain, clock, http_client()).await
    }

    /// Each step, as `code state integration`.
    async fn provision(&mut self, manner: Manner) -> Vec<String> {
        let done = self.try_provision(manner).await.unwrap();
        let line = |it: &handoff_genesys::provision::Step| {
            let state = match &it.state {
                State::Done => "done",
                State::Planned => "planned",
                State::Drift => "drift",
                State::ByHand { .. } => "by hand",
                State::Failed { why } => panic!("{why}"),
            };
            format!("{} {state} {}", it.deed.code(), it.integration)
        };
        done.steps.iter().map(line).collect()
    }

    fn creations(&self) -> usize {
        let requests = self.control.requests();
        let creates = requests
            .iter()
            .filter(|it| it.method == "POST" && it.path.ends_with("/messaging/integrations/open"));
        creates.count()
    }
}

const PLAIN: Manner = Manner {
    dry_run: false,
    mend: false,
};
const MEND: Manner = Manner {
    dry_run: false,
    mend: true,
};
const DRY: Manner = Manner {
    dry_run: true,
    mend: false,
};

#[tokio::test]
async fn what_is_missing_is_created_and_bound_and_the_second_time_there_is_nothing_to_do() {
    let mut centre = Centre::open().await;
    let first = centre.provision(PLAIN).await;
    assert_eq!(
        first,
        [
            "provision.create done bot",
            "provision.bind done bot",
            "provision.create done bot (Marketing)",
            "provision.bind done bot (Marketing)",
        ]
    );
    assert!(centre.provision(PLAIN).await.is_empty());
    assert_eq!(centre.creations(), 2);
}

#[tokio::test]
async fn a_dry_run_tells_the_same_and_does_nothing() {
    let mut centre = Centre::open().await;
    let planned = centre.provision(DRY).await;
    assert_eq!(
        planned[..2],
        ["provision.create planned bot", "provision.bind planned bot"]
    );
    assert_eq!(centre.creations(), 0);
    assert_eq!(centre.lock, Lock::default());
}

#[tokio::test]
async fn one_that_is_there_is_taken_and_what_it_has_of_others_is_overwritten_only_on_request() {
    let mut centre = Centre::with("\"bot\"", "\"made by hand\"").await;
    centre.account.competencies.clear();
    let found = centre.provision(PLAIN).await;
    assert_eq!(
        found,
        [
            "provision.adopt done made by hand",
            "provision.set_webhook drift made by hand",
            "provision.set_secret drift made by hand",
            "provision.bind drift made by hand",
        ]
    );
    let mended = centre.provision(MEND).await;
    assert_eq!(mended.len(), 3, "{mended:?}");
    assert!(centre.provision(PLAIN).await.is_empty());
    assert_eq!(centre.creations(), 0);
}

#[tokio::test]
async fn with_five_permissions_integrations_are_created_and_their_flow_is_left_to_people() {
    let mut centre = Centre::with("provisioner", "five").await;
    let steps = centre.provision(PLAIN).await;
    assert_eq!(
        steps[..2],
        ["provision.create done bot", "provision.bind by hand bot"]
    );
    assert!(!centre.try_provision(PLAIN).await.unwrap().is_amiss());

    // A change needs a sixth.
    centre.control.rename_integration("bot", "chat").unwrap();
    let done = centre.try_provision(MEND).await.unwrap();
    assert!(done.is_amiss());
}

#[tokio::test]
async fn a_deleted_one_that_somebody_made_again_is_not_taken_without_asking() {
    let mut centre = Centre::with("\"bot\"", "\"made by hand\"").await;
    centre.account.competencies.clear();
    centre.provision(MEND).await;
    centre.control.delete_integration("made by hand").unwrap();
    assert_eq!(
        centre.provision(PLAIN).await,
        ["provision.recreate drift made by hand"]
    );
    let mended = centre.provision(MEND).await;
    assert_eq!(
        mended,
        [
            "provision.recreate done made by hand",
            "provision.bind done made by hand"
        ]
    );
}

#[tokio::test]
async fn a_secret_that_genesys_would_not_take_and_a_name_that_is_an_id_are_told_before_any_call() {
    let mut centre = Centre::with("a-secret-of-16-or-more", "short").await;
    let error = centre.try_provision(PLAIN).await.unwrap_err();
    assert_eq!(error.code(), "provision.short_secret");
    let id = "\"0c2f1d3e-1111-4222-8333-944455556666\"";
    let mut centre = Centre::with("\"bot\"", id).await;
    let error = centre.try_provision(PLAIN).await.unwrap_err();
    assert_eq!(error.code(), "provision.not_a_name");
    centre.account.provision = None;
    let error = centre.try_provision(PLAIN).await.unwrap_err();
    assert_eq!(error.code(), "provision.not_asked");
    assert!(centre.control.requests().is_empty());
}
