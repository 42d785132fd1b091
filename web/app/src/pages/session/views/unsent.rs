//! What a person may do with samples that the relay does not take.

use leptos::prelude::*;

use crate::components::{DiscardUnsent, SaveUnsent};
use crate::pages::session::recording::{Recording, unsent};

/// Nothing while there are none.
#[component]
pub(crate) fn UnsentActions(recording: Recording) -> impl IntoView {
    let has_unsent = Memo::new(move |_| recording.pending() > 0);
    view! {
        <Show when=move || has_unsent.get()>
            <div class="row" data-testid="unsent">
                <SaveUnsent session=recording.session() samples=move || unsent::samples(recording) />
                <DiscardUnsent on_discard=Callback::new(move |()| unsent::discard(recording)) />
            </div>
        </Show>
    }
}
