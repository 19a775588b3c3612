//! `sandbox`: the embedded cloud as somebody else would touch it.

#[cfg(feature = "sandbox")]
pub(crate) use present::{create, delete, drift, list};

#[cfg(not(feature = "sandbox"))]
pub(crate) use absent::{create, delete, drift, list};

#[cfg(feature = "sandbox")]
mod present {
    use formwork_contract::{Diagnostic, Diagnostics};
    use serde_json::json;

    use crate::blueprint::Failure;
    use crate::cli::args::Variables;
    use crate::cli::session::{DONE, Outcome, Session, Stop};
    use crate::workflow;

    pub(crate) fn drift(session: &Session, address: &str, changes: &[String]) -> Outcome {
        let changes = changes.iter().map(|change| split(change)).collect::<Result<Vec<_>, Stop>>()?;
        let object = formwork_sandbox::control::drift(&state_dir(session)?, address, &changes).map_err(failed)?;
        let told: Vec<String> = changes.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        say(session, &object.address, &object.id, &format!("changed behind Formwork's back: {}", told.join(", ")))
    }

    pub(crate) fn create(session: &Session, type_name: &str, attributes: &[String]) -> Outcome {
        let attributes = attributes.iter().map(|attribute| split(attribute)).collect::<Result<Vec<_>, Stop>>()?;
        let made = formwork_sandbox::control::create(&state_dir(session)?, type_name, &attributes).map_err(failed)?;
        say(session, &made.address, &made.id, "made behind Formwork's back")
    }

    pub(crate) fn delete(session: &Session, address: &str) -> Outcome {
        let object = formwork_sandbox::control::delete(&state_dir(session)?, address).map_err(failed)?;
        say(session, &object.address, &object.id, "deleted behind Formwork's back")
    }

    pub(crate) fn list(session: &Session) -> Outcome {
        let objects = formwork_sandbox::control::list(&state_dir(session)?).map_err(failed)?;
        if session.global.json {
            let objects: Vec<_> = objects
                .iter()
                .map(|object| {
                    json!({
                        "id": object.id,
                        "type": object.type_name,
                        "environment": object.environment,
                        "address": object.address,
                    })
                })
                .collect();
            session.print_json(&json!({"format_version": "1.0", "objects": objects}))?;
            return Ok(DONE);
        }
        let lines = objects.iter().map(|object| match &*object.environment {
            "" => format!("(nobody's)  {}\n", object.id),
            environment => format!("{environment}  {}  {}\n", object.address, object.id),
        });
        let lines: String = lines.collect();
        session.print(if lines.is_empty() { "The sandbox is empty.\n" } else { &lines })?;
        Ok(DONE)
    }

    fn say(session: &Session, address: &str, id: &str, what: &str) -> Outcome {
        if session.global.json {
            session.print_json(&json!({"format_version": "1.0", "address": address, "id": id, "diagnostics": []}))?;
        } else {
            let named = if address.is_empty() { id.to_owned() } else { format!("{address} ({id})") };
            session.print(&format!("{named} {what}\n"))?;
        }
        Ok(DONE)
    }

    fn split(change: &str) -> Result<(String, String), Stop> {
        match change.split_once('=') {
            Some((name, value)) => Ok((name.trim().to_owned(), value.to_owned())),
            None => Err(Diagnostic::error(format!("`{change}` gives no value"))
                .hint("Write `ATTRIBUTE=VALUE`, such as `name=web`.")
                .into()),
        }
    }

    fn state_dir(session: &Session) -> Result<std::path::PathBuf, Stop> {
        if let Some(dir) = session.state_dir() {
            return Ok(dir);
        }
        Ok(workflow::state_dir(&session.workspace(&Variables::default())?)?)
    }

    fn failed(diagnostics: Diagnostics) -> Stop {
        Failure { sources: Default::default(), diagnostics }.into()
    }
}

#[cfg(not(feature = "sandbox"))]
mod absent {
    use formwork_contract::Diagnostic;

    use crate::cli::session::{Outcome, Session};

    pub(crate) fn drift(_session: &Session, _address: &str, _changes: &[String]) -> Outcome {
        refusal()
    }

    pub(crate) fn create(_session: &Session, _type_name: &str, _attributes: &[String]) -> Outcome {
        refusal()
    }

    pub(crate) fn delete(_session: &Session, _address: &str) -> Outcome {
        refusal()
    }

    pub(crate) fn list(_session: &Session) -> Outcome {
        refusal()
    }

    fn refusal() -> Outcome {
        Err(Diagnostic::error("this build has no sandbox")
            .hint("Build Formwork with the feature `sandbox`: `cargo build --features sandbox`.")
            .into())
    }
}
