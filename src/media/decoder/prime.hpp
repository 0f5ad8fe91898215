// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace unmask::decoder {

/// Does, before the sandbox closes, all that libraries put off until their first use: looking up the
/// processor, the time zone and the locale, building tables. Afterwards decoding opens no file.
void Prime();

}  // namespace unmask::decoder
