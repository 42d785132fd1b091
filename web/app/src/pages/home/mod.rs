//! The home page: what this is, a working demo, and two ways to start.

mod preview;
mod unsent_list;
mod unsent_recordings;

use leptos::prelude::*;
use mien_engine::PickedFile;

use self::preview::Preview;
use self::unsent_recordings::UnsentRecordings;
use super::demo::PickedFileSlot;
use crate::browser;
use crate::components::{Brand, FilePick, Link};
use crate::model::route::Route;
use crate::router::Router;
use crate::saved::{self, SavedRecording};

#[component]
pub(crate) fn Home() -> impl IntoView {
    let router = expect_context::<Router>();
    let picked = expect_context::<PickedFileSlot>();
    let on_pick = Callback::new(move |file: PickedFile| {
        picked.put(file);
        router.go(Route::Demo);
    });
    view! {
        <div class="home">
            <header><Brand /></header>
            <main>
                <UnsentRecordings />
                <div class="hero">
                    <div>
                        <h1 tabindex="-1">"Reads facial expressions from a camera, without a picture leaving the browser."</h1>
                        <p class="lead">
                            "For interviews, user research and remote sessions. This device does the analysis; a relay stores the numbers and shows them live."
                        </p>
                        <div class="row">
                            <Link to=Route::Demo class="button" testid="try-demo">"Try the demo"</Link>
                            <Link to=Route::Start class="button primary" testid="start-session">"Start a session"</Link>
                        </div>
                        <div class="file"><FilePick on_pick=on_pick class="quiet" /></div>
                    </div>
                    <Preview />
                </div>
                <Recordings />
                <section class="facts" aria-label="What to know">
                    <div>
                        <h2>"What leaves the browser"</h2>
                        <p>"Where a face is, seven scores and the time. Never a picture: this page can only connect to its own address, and shows how much it has sent."</p>
                    </div>
                    <div>
                        <h2>"What it can and cannot know"</h2>
                        <p>"It reads what a face shows, is right about seven times in ten, and says when it is unsure. It does not know what a person feels."</p>
                    </div>
                    <div>
                        <h2>"What it may be used for"</h2>
                        <p>"Noticing moments worth asking about, with everyone’s consent. Not deciding about people, and never in secret."</p>
                    </div>
                </section>
            </main>
        </div>
    }
}

/// The way back to what this device has recorded; nothing if it has recorded nothing.
#[component]
fn Recordings() -> impl IntoView {
    let row = |recording: SavedRecording| {
        view! {
            <div data-testid="recording">
                <h2 translate="no" prop:textContent=recording.name()></h2>
                <p translate="no" lang="en" prop:textContent=browser::date_and_time(recording.started_ms)></p>
                <Link to=Route::Session(recording.session) class="button">"Open"</Link>
            </div>
        }
    };
    let list = saved::list();
    (!list.is_empty()).then(|| {
        view! {
            <section class="facts" aria-label="Recordings on this device">
                <div>
                    <h2>"Recordings on this device"</h2>
                    <p>"Open one to continue, complete, export or erase it."</p>
                </div>
                {list.into_iter().map(row).collect_view()}
            </section>
        }
    })
}
