//! From flags and variables to a struct, collecting what is wrong on the way.
//!
//! clap alone stops at the first bad value. So each value is first tried on its own; only if all of them hold does
//! clap read the whole.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue};
use clap::{Arg, ArgAction};

use super::{Faults, ServiceConfig};

/// What the process was started to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Run the service.
    Serve,
    /// Bring the schema up to date, and end.
    Migrate,
    /// Say what is wrong with the configuration, and end.
    CheckConfig,
}

const COMMANDS: [(&str, Command, &str); 3] = [
    ("serve", Command::Serve, "run the service"),
    ("migrate", Command::Migrate, "bring the schema up to date, and end"),
    ("check-config", Command::CheckConfig, "say everything that is wrong with the configuration, and end"),
];

/// The process's own configuration. A faulty one is printed in full to standard error; asking for help prints help.
///
/// # Errors
/// The code to end the process with: 2 for a fault, 0 after help and after a successful `check-config`.
#[allow(clippy::disallowed_methods, reason = "this is where the environment is read")]
pub fn load<C: ServiceConfig>() -> Result<(Command, C), ExitCode> {
    let read = parse::<C>(std::env::args_os().skip(1), |name| std::env::var_os(name));
    #[allow(clippy::print_stderr, clippy::print_stdout, reason = "a command's answer to who started it")]
    match read {
        Ok((Command::CheckConfig, _)) => {
            println!("the configuration is valid");
            Err(ExitCode::SUCCESS)
        }
        Ok(loaded) => Ok(loaded),
        Err(Refused::Help(text)) => {
            println!("{text}");
            Err(ExitCode::SUCCESS)
        }
        Err(Refused::Faults(faults)) => {
            eprintln!("{faults}");
            Err(ExitCode::from(2))
        }
    }
}

/// Why there is no configuration.
#[derive(Debug)]
pub enum Refused {
    /// Help was asked for; this is it.
    Help(String),
    /// Something is wrong.
    Faults(Faults),
}

/// Reads a configuration from `arguments` (without the program's name) and `variable`.
///
/// # Errors
/// [`Refused`].
pub fn parse<C: ServiceConfig>(
    arguments: impl IntoIterator<Item = OsString>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<(Command, C), Refused> {
    let given: Vec<OsString> = arguments.into_iter().collect();
    let root = described(C::augment_args(clap::Command::new(program::<C>())), &variable_prefix::<C>());
    let (word, flags) = match given.split_first() {
        Some((word, flags)) if !word.to_string_lossy().starts_with('-') => (word.to_string_lossy().into_owned(), flags),
        Some(_) | None => ("serve".to_owned(), given.as_slice()),
    };
    let mut faults = Faults::default();
    let command = COMMANDS.iter().find(|(name, ..)| *name == word).map(|(_, command, _)| *command);
    if command.is_none() {
        faults.0.push(format!("`{word}` is no command; there are: serve, migrate, check-config"));
    }

    let mut words = vec![OsString::from(program::<C>())];
    for arg in root.get_arguments() {
        let Some(long) = arg.get_long() else { continue };
        let by_flag = flags.iter().any(|flag| is_flag(flag, long));
        let Some(value) = variable(&variable_name::<C>(arg)).filter(|value| !by_flag && !value.is_empty()) else { continue };
        match flag_for(arg, long, &value) {
            Ok(Some(flag)) if alone_is_valid(arg, &flag, &mut faults) => words.push(flag),
            Ok(_) => {}
            Err(what) => faults.add(arg.get_id().as_str(), what),
        }
    }
    words.extend(flags.iter().cloned());

    // Optional here, so that what is missing is told together with what is wrong.
    let missing: Vec<_> = root.get_arguments().filter(|arg| arg.is_required_set()).map(|arg| arg.get_id().clone()).collect();
    let matches = match root.mut_args(|arg| arg.required(false)).try_get_matches_from(words) {
        Ok(matches) => matches,
        Err(error) if error.kind() == clap::error::ErrorKind::DisplayHelp => return Err(Refused::Help(error.to_string())),
        Err(error) => {
            faults.0.push(described_fault(&error));
            return Err(Refused::Faults(faults));
        }
    };
    for id in missing {
        let name = id.as_str();
        if !matches.contains_id(name) && !faults.iter().any(|fault| fault.starts_with(&format!("{}:", name.to_uppercase()))) {
            faults.add(name, "must be set");
        }
    }
    let config = faults.is_empty().then(|| C::from_arg_matches(&matches));
    match (command, config) {
        (Some(command), Some(Ok(config))) => {
            config.check(&mut faults);
            if faults.is_empty() { Ok((command, config)) } else { Err(Refused::Faults(faults)) }
        }
        (_, Some(Err(error))) => {
            faults.0.push(described_fault(&error));
            Err(Refused::Faults(faults))
        }
        (None, Some(Ok(_))) | (_, None) => Err(Refused::Faults(faults)),
    }
}

fn program<C: ServiceConfig>() -> String {
    format!("steward-{}", C::SERVICE.replace('_', "-"))
}

fn variable_prefix<C: ServiceConfig>() -> String {
    format!("STEWARD_{}__", C::SERVICE.to_uppercase())
}

fn variable_name<C: ServiceConfig>(arg: &Arg) -> String {
    format!("{}{}", variable_prefix::<C>(), arg.get_id().as_str().to_uppercase())
}

fn described(command: clap::Command, prefix: &str) -> clap::Command {
    let commands: Vec<_> = COMMANDS.iter().map(|(name, _, about)| format!("  {name:13} {about}")).collect();
    let command = command.before_help(format!("Commands (the first word; serve if none is given):\n{}", commands.join("\n")));
    command.mut_args(|arg| {
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let variable = format!("{prefix}{}", arg.get_id().as_str().to_uppercase());
        arg.help(format!("{help} [{variable}]"))
    })
}

fn is_flag(given: &OsString, long: &str) -> bool {
    let given = given.to_string_lossy();
    given.strip_prefix("--").is_some_and(|given| given == long || given.strip_prefix(long).is_some_and(|rest| rest.starts_with('=')))
}

/// The flag that says what the variable says.
fn flag_for(arg: &Arg, long: &str, value: &OsString) -> Result<Option<OsString>, &'static str> {
    if matches!(arg.get_action(), ArgAction::SetTrue) {
        return match value.to_str() {
            Some("true" | "1") => Ok(Some(format!("--{long}").into())),
            Some("false" | "0") => Ok(None),
            Some(_) | None => Err("must be true or false"),
        };
    }
    let mut flag = OsString::from(format!("--{long}="));
    flag.push(value);
    Ok(Some(flag))
}

fn alone_is_valid(arg: &Arg, flag: &OsString, faults: &mut Faults) -> bool {
    let alone = clap::Command::new("").arg(arg.clone().required(false));
    match alone.try_get_matches_from([OsString::new(), flag.clone()]) {
        Ok(_) => true,
        Err(error) => {
            faults.0.push(described_fault(&error));
            false
        }
    }
}

/// clap's fault without the value, in the form of ours.
fn described_fault(error: &clap::Error) -> String {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) if !texts.is_empty() => Some(texts.join(", ")),
        Some(_) | None => None,
    };
    let name = text(ContextKind::InvalidArg).unwrap_or_else(|| "a flag".into());
    let name = name.trim_start_matches('-').split([' ', '=']).next().unwrap_or_default().replace('-', "_").to_uppercase();
    let cause = std::error::Error::source(error).map(ToString::to_string);
    let allowed = text(ContextKind::ValidValue).map(|values| format!("must be one of {values}"));
    let what = allowed.or(cause).or_else(|| error.kind().as_str().map(str::to_owned)).unwrap_or_else(|| "is not valid".into());
    format!("{name}: {what}")
}
