//! Times as this device shows them, and its monotonic clock.

/// `14:03:07` by this device's clock and time zone.
pub(crate) fn time_of_day(at_ms: u64) -> String {
    let date = js_sys::Date::new(&(at_ms as f64).into());
    format!("{:02}:{:02}:{:02}", date.get_hours(), date.get_minutes(), date.get_seconds())
}

/// `23 Nov 2026, 14:03`, in the language of the page.
pub(crate) fn date_and_time(at_ms: u64) -> String {
    let date = js_sys::Date::new(&(at_ms as f64).into());
    let options = js_sys::Object::new();
    for (key, value) in [("dateStyle", "medium"), ("timeStyle", "short")] {
        // Setting a key of a fresh object cannot fail.
        let _ = js_sys::Reflect::set(&options, &key.into(), &value.into());
    }
    String::from(date.to_locale_string("en-GB", &options))
}

/// Milliseconds of a monotonic clock, for motion.
pub(crate) fn steady_ms() -> f64 {
    mien_engine::steady_now().since_beginning().as_secs_f64() * 1_000.0
}
