// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace unmask {

/// Untrusted text made safe to print: valid UTF-8, with U+FFFD for broken bytes; control characters (also
/// escape sequences, line ends, and the marks that turn the direction of writing) as \n, \t, \xHH or
/// \u{HHHH}.
std::string EscapeForTerminal(std::string_view text);

/// Untrusted text as HTML text or as a quoted attribute: & < > " ' escaped, and what EscapeForTerminal()
/// escapes.
std::string EscapeForHtml(std::string_view text);

/// Columns that printable UTF-8 takes on a terminal (wide East Asian characters count two).
std::size_t DisplayWidth(std::string_view text);

/// The text in at most `columns` columns; what is too long loses its middle to "…", because the ends of a
/// path say most.
std::string Shorten(std::string_view text, std::size_t columns);

/// Seconds as "4.5 s", or "1:02.5" and "1:01:02.5" from a minute on.
std::string FormatSeconds(double seconds);

/// "1.2 MB"; powers of 1000.
std::string FormatBytes(unsigned long long bytes);

}  // namespace unmask
