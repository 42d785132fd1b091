//! Keys of the live view, and their help.

use std::cell::Cell;
use std::rc::Rc;

use leptos::ev::KeyboardEvent;
use leptos::html::Dialog;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

/// A key that works wherever the focus is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Pause,
    Mark,
    Help,
    Close,
}

/// Calls `on` for keys of the live view until the owner ends. Keys that a field needs for itself stay with it, and so does
/// Space with a button that was reached by keyboard; one that was merely clicked has the focus without anyone meaning it.
pub(crate) fn global_keys(on: impl Fn(Key) + 'static) {
    listen(|_| true, on);
}

/// Calls `on` for the key that opens the help, in views that have no other keys; Space still scrolls them.
pub(crate) fn help_key(on: impl Fn() + 'static) {
    listen(|key| key == Key::Help, move |_| on());
}

fn listen(handles: fn(Key) -> bool, on: impl Fn(Key) + 'static) {
    // Whether what has the focus got it by a click.
    let clicked = Rc::new(Cell::new(false));
    let pointed = clicked.clone();
    let pointer = window_event_listener(leptos::ev::pointerdown, move |_| pointed.set(true));
    let listener = window_event_listener(leptos::ev::keydown, move |event: KeyboardEvent| {
        if event.ctrl_key() || event.meta_key() || event.alt_key() || event.default_prevented() {
            return;
        }
        if event.key() == "Tab" {
            clicked.set(false);
        }
        let element = event.target().and_then(|target| target.dyn_into::<web_sys::HtmlElement>().ok());
        let tag = element.as_ref().map(|element| element.tag_name().to_lowercase()).unwrap_or_default();
        let is_fixed = element.as_ref().is_some_and(|element| element.has_attribute("readonly"));
        let typing = matches!(tag.as_str(), "input" | "textarea" | "select") && !is_fixed;
        let in_dialog =
            element.as_ref().is_some_and(|element| matches!(element.closest("dialog"), Ok(Some(_))));
        let pressable = matches!(tag.as_str(), "button" | "a" | "summary");
        let pressing = pressable && (in_dialog || !clicked.get());
        let key = match event.key().as_str() {
            "Escape" => Key::Close,
            _ if typing => return,
            " " if !pressing && !event.repeat() => Key::Pause,
            "m" | "M" if !event.repeat() => Key::Mark,
            "?" => Key::Help,
            _ => return,
        };
        if !handles(key) {
            return;
        }
        if key != Key::Close {
            event.prevent_default();
        }
        if key == Key::Pause
            && let Some(clicked) = element.filter(|_| pressable)
        {
            // Some browsers press a button when the key is released. Refused only by what has no focus.
            let _ = clicked.blur();
        }
        on(key);
    });
    on_cleanup(move || {
        listener.remove();
        pointer.remove();
    });
}

/// The list of keys, in a dialog that Esc closes.
#[component]
pub(crate) fn KeysDialog(
    open: RwSignal<bool>,
    /// Whether the view can be paused and marked, which is not possible for another device's recording.
    #[prop(default = true)]
    has_controls: bool,
) -> impl IntoView {
    let dialog = NodeRef::<Dialog>::new();
    Effect::new(move |_| {
        let Some(dialog) = dialog.get() else { return };
        if open.get() && !dialog.open() {
            // Throws only when it is not in the document, and an effect runs when it is.
            let _ = dialog.show_modal();
        } else if !open.get() && dialog.open() {
            dialog.close();
        }
    });
    view! {
        <dialog node_ref=dialog aria-labelledby="keys-title" on:close=move |_| open.set(false)>
            <h2 id="keys-title">"Keys"</h2>
            <dl class="keys">
                {has_controls.then(|| view! {
                    <dt><kbd>"Space"</kbd></dt><dd>"Pause and resume"</dd>
                    <dt><kbd>"M"</kbd></dt><dd>"Mark this moment"</dd>
                    <dt><kbd>"Delete"</kbd></dt><dd>"On the number of a face: leave this face out"</dd>
                })}
                <dt><kbd>"?"</kbd></dt><dd>"Show these keys"</dd>
                <dt><kbd>"Esc"</kbd></dt><dd>"Close what is open"</dd>
                <dt><kbd>"←"</kbd><kbd>"→"</kbd></dt><dd>"Read values on the timeline; with Shift, move it"</dd>
                <dt><kbd>"+"</kbd><kbd>"−"</kbd></dt><dd>"Zoom the timeline"</dd>
                <dt><kbd>"End"</kbd></dt><dd>"Follow the newest values again"</dd>
            </dl>
            <button class="primary" on:click=move |_| open.set(false)>"Close"</button>
        </dialog>
    }
}
