//! Festivals of the lunar year (CA-66, XC-24). Data of what to do on them is a plan's; here is only when they are.

use jiff::civil::Date;

use super::lunar::{LUNAR_YEARS, LunarDate, LunarError};

/// A festival of the lunar year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Festival {
    /// 春节, 1/1.
    Spring,
    /// 元宵, 1/15.
    Lantern,
    /// 端午, 5/5.
    DragonBoat,
    /// 七夕, 7/7.
    Qixi,
    /// 中元, 7/15.
    Zhongyuan,
    /// 中秋, 8/15.
    MidAutumn,
    /// 重阳, 9/9.
    DoubleNinth,
    /// 腊八, 12/8.
    Laba,
    /// 除夕, the last day of the year.
    NewYearsEve,
}

impl Festival {
    /// All festivals in the order of the lunar year.
    pub const ALL: [Self; 9] = [
        Self::Spring,
        Self::Lantern,
        Self::DragonBoat,
        Self::Qixi,
        Self::Zhongyuan,
        Self::MidAutumn,
        Self::DoubleNinth,
        Self::Laba,
        Self::NewYearsEve,
    ];

    /// Chinese name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Spring => "春节",
            Self::Lantern => "元宵节",
            Self::DragonBoat => "端午节",
            Self::Qixi => "七夕",
            Self::Zhongyuan => "中元节",
            Self::MidAutumn => "中秋节",
            Self::DoubleNinth => "重阳节",
            Self::Laba => "腊八节",
            Self::NewYearsEve => "除夕",
        }
    }

    /// Civil date in a lunar year, named by the civil year in which it begins. 腊八 and 除夕 mostly fall in the next
    /// civil year.
    pub fn in_lunar_year(self, year: i16) -> Result<Date, LunarError> {
        let (month, day) = match self {
            Self::Spring => (1, 1),
            Self::Lantern => (1, 15),
            Self::DragonBoat => (5, 5),
            Self::Qixi => (7, 7),
            Self::Zhongyuan => (7, 15),
            Self::MidAutumn => (8, 15),
            Self::DoubleNinth => (9, 9),
            Self::Laba => (12, 8),
            Self::NewYearsEve => {
                // The year after the last one supported has no first day to count back from.
                let next = LunarDate::new(year + 1, 1, false, 1)?.to_civil();
                return next.yesterday().map_err(|_| LunarError::YearOutOfRange(year));
            }
        };
        Ok(LunarDate::new(year, month, false, day)?.to_civil())
    }

    /// The next civil date of the festival, today included.
    pub fn next_on_or_after(self, today: Date) -> Result<Date, LunarError> {
        let mut refused = LunarError::YearOutOfRange(today.year());
        for year in today.year() - 1..=today.year() + 1 {
            if !LUNAR_YEARS.contains(&year) {
                continue;
            }
            match self.in_lunar_year(year) {
                Ok(date) if date >= today => return Ok(date),
                Ok(_) => {}
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }
}
