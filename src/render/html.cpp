// SPDX-License-Identifier: Apache-2.0
#include "render/html.hpp"
namespace unmask {
std::string ToHtml(std::span<const Outcome>, const HtmlOptions&) { return {}; }
std::string ToHtml(const Report&, const HtmlOptions&) { return {}; }
}  // namespace unmask
