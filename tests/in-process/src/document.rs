//! A generated document as a relay serves it, and whether what the relay says matches its own document.
//!
//! Stricter than a client has to be: a field that the document does not know is a fault, too.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jsonschema::Validator;
use serde_json::{Value, json};

#[derive(Debug)]
pub struct Document {
    pub value: Value,
    /// By the JSON pointer of their schema.
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Document {
    pub fn new(mut value: Value) -> Self {
        close(&mut value);
        Self { value, validators: Mutex::default() }
    }

    /// Checks a value against the schema at this JSON pointer.
    #[track_caller]
    pub fn check(&self, pointer: &str, value: &Value) {
        let validator = self.validator(pointer);
        let faults: Vec<String> =
            validator.iter_errors(value).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
        assert!(
            faults.is_empty(),
            "{value}\nis not what the contract says at {pointer}:\n{}",
            faults.join("\n")
        );
    }

    pub fn validator(&self, pointer: &str) -> Arc<Validator> {
        let mut validators = self.validators.lock().unwrap_or_else(PoisonError::into_inner);
        let made = validators.entry(pointer.to_owned()).or_insert_with(|| {
            let mut schema = self.value.pointer(pointer).cloned().unwrap_or(Value::Bool(false));
            // A value that may be anything has an empty schema.
            if schema.as_object().is_some_and(|schema| !schema.is_empty()) {
                seal(&mut schema);
                // The targets of references.
                schema["components"] = self.value["components"].clone();
            }
            let options = jsonschema::draft202012::options().should_validate_formats(true);
            Arc::new(options.build(&schema).unwrap_or_else(|fault| panic!("{pointer}: {fault}")))
        });
        Arc::clone(made)
    }
}

/// Makes every object in a schema refuse fields that it does not name. Parts of an `allOf` or a `oneOf` stay open, as
/// each sees the fields of the others.
fn close(schema: &mut Value) {
    match schema {
        Value::Array(parts) => parts.iter_mut().for_each(close),
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                close(member);
                match (name.as_str(), member) {
                    ("properties", Value::Object(fields)) => fields.values_mut().for_each(seal),
                    ("items" | "additionalProperties", value) => seal(value),
                    ("prefixItems", Value::Array(items)) => items.iter_mut().for_each(seal),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

fn seal(value: &mut Value) {
    if let Value::Object(schema) = value
        && !schema.contains_key("additionalProperties")
    {
        schema.insert("unevaluatedProperties".to_owned(), json!(false));
    }
}
