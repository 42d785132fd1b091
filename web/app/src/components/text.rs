//! Text that changes, in a way that a browser's translator cannot freeze.
//!
//! Chrome's translator removes each text node from the document and puts two `font` elements in its place. Leptos
//! (tachys 0.2.19) keeps writing into the node that it created, so text that changes would freeze from then on; where a
//! text node is the root of a conditional view, that view neither appears nor disappears. Hence: what a view writes
//! between tags is a literal, and each text that may change is the whole content of an element of its own, set through
//! `prop:textContent`, which discards the translation together with the text. The same goes for two branches that differ
//! only in their text: to Leptos they are one view. A conditional view has elements at its root. An end to end test
//! (`translate`) checks every page for this.
//!
//! A value (a number, a name that a person entered, what a face shows) also has `translate="no"`: it would flicker
//! while it is translated over and over, and what a face shows would be sent to the translator's server. Where it
//! contains words of ours it declares their `lang`, as a translator changes that of the document.

use leptos::prelude::*;

/// For `prop:textContent`, which is set again whenever a signal that it was computed from changes: this way it is set
/// only when the text changes, so that a screen reader hears nothing twice.
pub(crate) fn text<T>(of: impl Fn() -> T + Send + Sync + 'static) -> Memo<T>
where
    T: PartialEq + Send + Sync + 'static,
{
    Memo::new(move |_| of())
}
