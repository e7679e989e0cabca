//! Business hours: spans of weekdays in a time zone, and holidays.
//!
//! Times are those on the wall of the office, so the change to summer time moves them as people expect.

use std::collections::BTreeMap;

use handoff_node::{Problem, Timestamp, is_template};
use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp as Instant, ToSpan, Zoned};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When agents work.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct BusinessHours {
    /// The time zone of all times, by its IANA name.
    #[schemars(extend("examples" = ["Europe/Berlin", "America/New_York"]))]
    time_zone: String,
    /// Spans of each weekday. A day that is left out is closed; a span may end after midnight.
    #[schemars(extend("examples" = [{ "monday": ["09:00-12:30", "13:30-18:00"], "friday": ["09:00-16:00"] }]))]
    open: BTreeMap<Day, Vec<String>>,
    /// Days that are not as their weekday.
    #[serde(default)]
    holidays: Vec<Holiday>,
}

/// A day that is not as its weekday.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Holiday {
    /// The date, 2026-12-24, or 12-24 for every year.
    #[schemars(extend("examples" = ["2026-04-03", "12-24"]))]
    date: String,
    /// Its spans. Closed if left out.
    #[serde(default)]
    open: Vec<String>,
}

/// A weekday.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Day {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl From<Weekday> for Day {
    fn from(day: Weekday) -> Self {
        match day {
            Weekday::Monday => Self::Monday,
            Weekday::Tuesday => Self::Tuesday,
            Weekday::Wednesday => Self::Wednesday,
            Weekday::Thursday => Self::Thursday,
            Weekday::Friday => Self::Friday,
            Weekday::Saturday => Self::Saturday,
            Weekday::Sunday => Self::Sunday,
        }
    }
}

/// How it is at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Now {
    /// Open.
    Open,
    /// Closed.
    Closed {
        /// Whether because of a holiday.
        holiday: bool,
        /// When it opens next, within the next year.
        opens: Option<Opening>,
    },
}

/// When it opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Opening {
    /// The moment, as ISO 8601 with the office's offset.
    at: String,
    date: String,
    day: Day,
    time: String,
}

/// A text that is not what it should be, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bad {
    pub(crate) path: String,
    pub(crate) message: String,
}

/// How far ahead it is looked for the next opening, in days.
const AHEAD: i32 = 370;

/// Hours that can be asked.
#[derive(Debug)]
pub(crate) struct Hours {
    zone: TimeZone,
    open: BTreeMap<Day, Vec<Span>>,
    holidays: Vec<(OnDate, Vec<Span>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    from: Time,
    /// Midnight is the end of the day.
    until: Time,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OnDate {
    Once(Date),
    Yearly { month: i8, day: i8 },
}

impl OnDate {
    fn is(self, date: Date) -> bool {
        match self {
            Self::Once(once) => once == date,
            Self::Yearly { month, day } => (date.month(), date.day()) == (month, day),
        }
    }
}

impl BusinessHours {
    /// What is wrong with it. What is a template cannot be said yet.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        let mut problems: Vec<Problem> = match self.read() {
            Ok(_) => Vec::new(),
            Err(bad) => bad
                .into_iter()
                .map(|bad| {
                    Problem::at(
                        format!("/businessHours{}", bad.path),
                        "check_availability.bad_hours",
                        bad.message,
                    )
                })
                .collect(),
        };
        if self.open.values().all(Vec::is_empty) {
            problems.push(Problem::at(
                "/businessHours/open",
                "check_availability.never_open",
                "It is never open. Write for example \"monday\": [\"09:00-17:00\"].",
            ));
        }
        problems
    }

    /// The hours, or everything that is wrong with them.
    pub(crate) fn read(&self) -> Result<Hours, Vec<Bad>> {
        let mut bad = Vec::new();
        let zone = match TimeZone::get(&self.time_zone) {
            Ok(zone) => zone,
            Err(_) => {
                if !is_template(&self.time_zone) {
                    bad.push(Bad {
                        path: "/timeZone".to_owned(),
                        message: format!(
                            "'{}' is no time zone. Write its IANA name, for example Europe/Berlin.",
                            self.time_zone
                        ),
                    });
                }
                TimeZone::UTC
            }
        };
        let mut open = BTreeMap::new();
        for (day, spans) in &self.open {
            let name = serde_json::to_value(day).unwrap_or_default();
            let path = format!("/open/{}", name.as_str().unwrap_or_default());
            open.insert(*day, read_spans(spans, &path, &mut bad));
        }
        let mut holidays = Vec::new();
        for (index, holiday) in self.holidays.iter().enumerate() {
            let path = format!("/holidays/{index}");
            let spans = read_spans(&holiday.open, &format!("{path}/open"), &mut bad);
            match read_date(&holiday.date) {
                Some(date) => holidays.push((date, spans)),
                None if is_template(&holiday.date) => {}
                None => bad.push(Bad {
                    path: format!("{path}/date"),
                    message: format!(
                        "'{}' is no date. Write 2026-12-24, or 12-24 for every year.",
                        holiday.date
                    ),
                }),
            }
        }
        if bad.is_empty() {
            return Ok(Hours {
                zone,
                open,
                holidays,
            });
        }
        Err(bad)
    }
}

fn read_date(text: &str) -> Option<OnDate> {
    if let Ok(date) = text.parse::<Date>() {
        return Some(OnDate::Once(date));
    }
    // In a leap year every day of a year is one.
    let date: Date = format!("2024-{text}").parse().ok()?;
    (text.len() == 5).then(|| OnDate::Yearly {
        month: date.month(),
        day: date.day(),
    })
}

fn read_spans(spans: &[String], path: &str, bad: &mut Vec<Bad>) -> Vec<Span> {
    let mut read = Vec::new();
    for (index, text) in spans.iter().enumerate() {
        match read_span(text) {
            Some(span) => read.push(span),
            None if is_template(text) => {}
            None => bad.push(Bad {
                path: format!("{path}/{index}"),
                message: format!("'{text}' is no span of time. Write for example 09:00-17:30."),
            }),
        }
    }
    read
}

fn read_span(text: &str) -> Option<Span> {
    let (from, until) = text.split_once('-')?;
    let time = |text: &str| Time::strptime("%H:%M", text.trim()).ok();
    let until = match until.trim() {
        "24:00" => Time::midnight(),
        until => time(until)?,
    };
    Some(Span {
        from: time(from)?,
        until,
    })
}

impl Hours {
    /// How it is at a moment.
    pub(crate) fn at(&self, now: Timestamp) -> Now {
        let instant = i64::try_from(now.0)
            .ok()
            .and_then(|millis| Instant::from_millisecond(millis).ok())
            .unwrap_or_default();
        let now = instant.to_zoned(self.zone.clone());
        let (today, clock) = (now.date(), now.time());
        let yesterday = today.yesterday().unwrap_or(today);
        let open = self.spans(today).iter().any(|span| span.holds(clock))
            || self
                .spans(yesterday)
                .iter()
                .any(|span| span.holds_after_midnight(clock));
        if open {
            return Now::Open;
        }
        Now::Closed {
            holiday: self.holiday(today).is_some(),
            opens: self.opens_after(&now),
        }
    }

    fn holiday(&self, date: Date) -> Option<&Vec<Span>> {
        let mut holidays = self.holidays.iter();
        holidays.find(|(on, _)| on.is(date)).map(|(_, spans)| spans)
    }

    fn spans(&self, date: Date) -> &[Span] {
        let of_weekday = || self.open.get(&Day::from(date.weekday()));
        self.holiday(date)
            .or_else(of_weekday)
            .map_or(&[], Vec::as_slice)
    }

    fn opens_after(&self, now: &Zoned) -> Option<Opening> {
        (0..AHEAD).find_map(|days| {
            let date = now.date().checked_add(days.days()).ok()?;
            let starts = self.spans(date).iter().map(|span| span.from);
            starts
                .filter_map(|start| self.moment(DateTime::from_parts(date, start)))
                .filter(|moment| moment > now)
                .min()
                .map(|moment| Opening {
                    at: moment.strftime("%Y-%m-%dT%H:%M%:z").to_string(),
                    date: moment.date().to_string(),
                    day: Day::from(moment.date().weekday()),
                    time: moment.strftime("%H:%M").to_string(),
                })
        })
    }

    fn moment(&self, wall: DateTime) -> Option<Zoned> {
        wall.to_zoned(self.zone.clone()).ok()
    }
}

impl Span {
    fn ends_next_day(self) -> bool {
        self.until <= self.from && self.until != Time::midnight()
    }

    fn holds(self, clock: Time) -> bool {
        let before_end =
            self.ends_next_day() || self.until == Time::midnight() || clock < self.until;
        clock >= self.from && before_end
    }

    /// Of the day before.
    fn holds_after_midnight(self, clock: Time) -> bool {
        self.ends_next_day() && clock < self.until
    }
}
