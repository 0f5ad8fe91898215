// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "render/outcome.hpp"

namespace unmask {

/// One page for people and printers: no script, nothing loaded from elsewhere (a policy in the page forbids
/// both), pictures and styles inside. Everything untrusted is escaped. The same outcomes give the same page.
std::string ToHtml(std::span<const Outcome> outcomes);

/// The page of one report.
std::string ToHtml(const Report& report);

/// The Content-Security-Policy that the page carries; a server sends the same as a header.
std::string HtmlPolicy();

}  // namespace unmask
