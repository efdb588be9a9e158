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

const ISSUERS: (&str, &str) = ("STEWARD_WORK_ORDER__ISSUERS", "https://id.example.cn=https://id.example.cn/jwks");

fn read(arguments: &[&str], variables: &[(&str, &str)]) -> Result<(Command, Config), Refused> {
    let variables: HashMap<&str, &str> = variables.iter().copied().collect();
    parse(arguments.iter().map(OsString::from), |name| variables.get(name).map(OsString::from))
}

fn faults(arguments: &[&str], variables: &[(&str, &str)]) -> Vec<String> {
    match read(arguments, variables) {
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
