//! Icons and the logo. An icon always has a label beside it.

use leptos::prelude::*;

use super::link::Link;
use crate::model::route::Route;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Glyph {
    Camera,
    Lock,
    Numbers,
    Hand,
    Pause,
    Play,
    Flag,
    Share,
    Keyboard,
    Stop,
    Face,
    LeaveOut,
    BringBack,
}

impl Glyph {
    const fn path(self) -> &'static str {
        match self {
            Self::Camera => {
                "M4 8h3l1.5-2.5h7L17 8h3a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V9a1 1 0 0 1 1-1zM12 16.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z"
            }
            Self::Lock => "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
            Self::Numbers => "M5 19v-6M10 19V9M15 19v-9M20 19V5",
            Self::Hand => "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM9 9h6v6H9z",
            Self::Pause => "M9 5v14M15 5v14",
            Self::Play => "M8 5l11 7-11 7z",
            Self::Flag => "M6 21V4M6 4h12l-3 4 3 4H6",
            Self::Share => {
                "M10 14a4 4 0 0 0 6 .5l3-3a4 4 0 0 0-5.7-5.7L12 7M14 10a4 4 0 0 0-6-.5l-3 3a4 4 0 0 0 5.7 5.7L12 17"
            }
            Self::Keyboard => "M3 7h18v10H3zM7 10.5h.01M11 10.5h.01M15 10.5h.01M8 14h8",
            Self::Stop => "M7 7h10v10H7z",
            Self::Face => "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM9 10h.01M15 10h.01M8.5 15h7",
            Self::LeaveOut => "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM5.7 5.7l12.6 12.6",
            Self::BringBack => "M9 6l-5 5 5 5M4 11h10a5 5 0 0 1 0 10h-3",
        }
    }
}

#[component]
pub(crate) fn Icon(glyph: Glyph) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75"
            stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
            <path d=glyph.path()></path>
        </svg>
    }
}

/// The logo, which links to the home page.
#[component]
pub(crate) fn Brand() -> impl IntoView {
    view! {
        <Link to=Route::Home class="brand">
            <svg class="icon" viewBox="0 0 64 64" aria-hidden="true">
                <path d="M8 22v-6a8 8 0 0 1 8-8h6M42 8h6a8 8 0 0 1 8 8v6M56 42v6a8 8 0 0 1-8 8h-6M22 56h-6a8 8 0 0 1-8-8v-6"
                    fill="none" stroke="currentColor" stroke-width="5" stroke-linecap="round"></path>
                <rect x="20" y="24" width="24" height="5" rx="2.5" fill="currentColor"></rect>
                <rect x="20" y="36" width="14" height="5" rx="2.5" fill="currentColor" opacity="0.65"></rect>
            </svg>
            <span translate="no">"Mien"</span>
        </Link>
    }
}
