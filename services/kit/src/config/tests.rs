use std::collections::HashMap;
use std::ffi::OsString;

use super::*;

#[derive(Debug, clap::Args)]
struct Config {
    #[command(flatten)]
    server: ServerConfig,
    #[command(flatten)]
    auth: AuthConfig,
    #[command(flatten)]
    telemetry: TelemetryConfig,
    #[command(flatten)]
    clock: ClockConfig,
    /// Whether to be brave.
    #[arg(long)]
    brave: bool,
}

impl ServiceConfig for Config {
    const SERVICE: &'static str = "work_order";

    fn server(&self) -> &ServerConfig {
        &self.server
    }

    fn telemetry(&self) -> &TelemetryConfig {
        &self.telemetry
    }

    fn check(&self, faults: &mut Faults) {
        self.server.check(faults);
        self.auth.check(self.server.environment, faults);
        self.telemetry.check(faults);
        self.clock.check(self.server.environment, faults);
    }
}

/// Said in every test but those that are about certificates.
const PLAIN: (&str, &str) = ("STEWARD_WORK_ORDER__PLAIN_LISTENER", "true");
const ISSUERS: (&str, &str) = ("STEWARD_WORK_ORDER__ISSUERS", "https://id.example.cn=https://id.example.cn/jwks");

fn read(arguments: &[&str], variables: &[(&str, &str)]) -> Result<(Command, Config), Refused> {
    read_bare(arguments, &[variables, &[PLAIN]].concat())
}

fn read_bare(arguments: &[&str], variables: &[(&str, &str)]) -> Result<(Command, Config), Refused> {
    let variables: HashMap<&str, &str> = variables.iter().copied().collect();
    parse(arguments.iter().map(OsString::from), |name| variables.get(name).map(OsString::from))
}

fn faults(arguments: &[&str], variables: &[(&str, &str)]) -> Vec<String> {
    told(read(arguments, variables))
}

fn told(read: Result<(Command, Config), Refused>) -> Vec<String> {
    match read {
        Err(Refused::Faults(faults)) => faults.iter().map(str::to_owned).collect(),
        other => panic!("faults were expected, not {other:?}"),
    }
}

#[test]
fn a_flag_wins_over_a_variable_and_a_variable_over_the_default() {
    let variables = [ISSUERS, ("STEWARD_WORK_ORDER__LISTEN", "127.0.0.1:1"), ("STEWARD_WORK_ORDER__BRAVE", "true")];
    let (command, config) = read(&["serve"], &variables).expect("is valid");
    assert_eq!(command, Command::Serve);
    assert_eq!((config.server.listen.port(), config.brave), (1, true));
    assert_eq!(config.server.environment, Environment::Production);
    assert_eq!(config.auth.issuers.len(), 1);
    let (command, config) = read(&["migrate", "--listen=127.0.0.1:2"], &variables).expect("is valid");
    assert_eq!((command, config.server.listen.port()), (Command::Migrate, 2));
    assert_eq!(read(&[], &[ISSUERS]).expect("is valid").1.server.listen.port(), 8080);
}

#[test]
fn every_fault_is_told_at_once() {
    let told = faults(
        &["check-config"],
        &[("STEWARD_WORK_ORDER__LISTEN", "nowhere"), ("STEWARD_WORK_ORDER__LOG_FORMAT", "xml"), ("STEWARD_WORK_ORDER__BRAVE", "perhaps")],
    );
    let names: Vec<_> = told.iter().filter_map(|fault| fault.split(':').next()).collect();
    assert_eq!(names, ["LISTEN", "LOG_FORMAT", "BRAVE", "ISSUERS"], "{told:#?}");
    assert!(told.iter().any(|fault| fault == "LOG_FORMAT: must be one of json, pretty"), "{told:#?}");
    assert!(told.iter().any(|fault| fault == "ISSUERS: must be set"), "{told:#?}");
    assert!(!told.concat().contains("nowhere"), "values are not repeated");
}

#[test]
fn production_refuses_what_is_for_development() {
    let offset = std::env::temp_dir().join(format!("steward-kit-config-{}", uuid::Uuid::now_v7()));
    crate::clock::SharedClock::create(&offset).expect("creates");
    let offset_text = offset.to_string_lossy().into_owned();
    let variables =
        [("STEWARD_WORK_ORDER__ISSUERS", "dev=http://127.0.0.1:1/jwks"), ("STEWARD_WORK_ORDER__CLOCK_OFFSET_FILE", offset_text.as_str())];
    let told = faults(&[], &variables);
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(told.iter().all(|fault| fault.ends_with("is for development only, and ENVIRONMENT is production")));

    let development = [variables.as_slice(), &[("STEWARD_WORK_ORDER__ENVIRONMENT", "development")]].concat();
    let (_, config) = read(&[], &development).expect("is valid in development");
    assert!(config.clock.clock().expect("opens").is_movable());
    std::fs::remove_file(offset).expect("cleans up");
}

#[test]
fn unknown_flags_and_commands_are_faults() {
    assert!(!faults(&["serve", "--colour=red"], &[ISSUERS]).is_empty());
    assert!(faults(&["dance"], &[ISSUERS])[0].contains("serve, migrate, check-config"));
}

#[test]
fn help_names_the_variables() {
    match read(&["--help"], &[]) {
        Err(Refused::Help(text)) => assert!(text.contains("STEWARD_WORK_ORDER__DRAIN_DEADLINE_MS"), "{text}"),
        other => panic!("help was expected, not {other:?}"),
    }
}

#[test]
fn what_is_plain_must_be_allowed_by_name_in_production() {
    assert_eq!(
        told(read_bare(&[], &[ISSUERS])),
        ["TLS_CERT_FILE: must be set in production, or PLAIN_LISTENER if something in front of the port encrypts"]
    );
    let development = ("STEWARD_WORK_ORDER__ENVIRONMENT", "development");
    let (_, config) = read_bare(&[], &[ISSUERS, development]).expect("a developer's machine is plain");

    let peer = |environment, url: &str, change: fn(&mut TlsConfig)| {
        let mut tls = config.server.tls.clone();
        change(&mut tls);
        let mut faults = Faults::default();
        tls.check_peer(environment, "customer_url", url, &mut faults);
        faults.iter().next().and_then(|fault| Some(fault.split_once(": ")?.1.to_owned()))
    };
    let production = Environment::Production;
    assert!(peer(production, "http://customer:8080", |_| {}).is_some_and(|fault| fault.contains("PLAIN_CALLS")));
    assert_eq!(peer(production, "http://customer:8080", |tls| tls.plain_calls = true), None);
    assert_eq!(peer(Environment::Development, "http://customer:8080", |_| {}), None);
    assert!(peer(production, "https://customer:8080", |_| {}).is_some_and(|fault| fault.contains("CALL_CA_FILE")));
    assert_eq!(peer(production, "https://customer:8080", |tls| tls.call_ca_file = Some("ca.crt".into())), None);
    assert!(peer(production, "customer:8080", |_| {}).is_some_and(|fault| fault.contains("http")));
}

#[test]
fn half_a_set_of_certificates_is_refused() {
    let set = |names: &[&str]| {
        let variables: Vec<_> = names.iter().map(|name| (format!("STEWARD_WORK_ORDER__{name}"), format!("/not/there/{name}"))).collect();
        let variables: Vec<_> = variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain([ISSUERS]).collect();
        let told = told(read_bare(&[], &variables));
        told.iter().filter_map(|fault| fault.split(':').next().map(str::to_owned)).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(set(&["TLS_CERT_FILE"]), "TLS_KEY_FILE");
    assert_eq!(set(&["TLS_KEY_FILE"]), "TLS_CERT_FILE");
    assert_eq!(set(&["TLS_CALLER_CA_FILE"]), "TLS_CALLER_CA_FILE TLS_CERT_FILE");
    assert_eq!(set(&["TLS_CALLERS"]), "TLS_CERT_FILE TLS_CALLERS");
    assert_eq!(set(&["TLS_CERT_FILE", "CALL_CERT_FILE"]), "TLS_KEY_FILE CALL_KEY_FILE CALL_CA_FILE");
    assert_eq!(set(&["TLS_CERT_FILE", "TLS_KEY_FILE"]), "TLS_CERT_FILE", "the files are not there");
    let both = [("STEWARD_WORK_ORDER__TLS_CERT_FILE", "a"), ("STEWARD_WORK_ORDER__TLS_KEY_FILE", "b"), PLAIN, ISSUERS];
    let told = told(read_bare(&[], &both));
    assert!(told.iter().any(|fault| fault == "PLAIN_LISTENER: cannot be set together with TLS_CERT_FILE"), "{told:#?}");
}
