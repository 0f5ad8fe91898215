// SPDX-License-Identifier: Apache-2.0
#include "cli/print.hpp"

#include <cstdio>

#include <fmt/format.h>

#include "render/text.hpp"

namespace unmask {

void PrintError(const Error& error, std::string_view name) {
  std::string text = fmt::format("error: {}{}{}\n", EscapeForTerminal(name), name.empty() ? "" : ": ",
                                 EscapeForTerminal(error.message));
  if (!error.hint.empty()) text += fmt::format("hint: {}\n", EscapeForTerminal(error.hint));
  std::fputs(text.c_str(), stderr);
}

}  // namespace unmask
