// SPDX-License-Identifier: Apache-2.0
#include "cli/help_format.hpp"

#include <string_view>

namespace unmask {
namespace {

constexpr std::size_t kWidth = 100;
constexpr std::size_t kLeft = 34;

/// The name on the left, the text wrapped on the right.
std::string Entry(std::string left, std::string_view text) {
  std::string out = "  " + std::move(left);
  std::size_t column = out.size();
  if (column + 2 > kLeft) {
    out += '\n';
    column = 0;
  }
  out.append(kLeft - column, ' ');
  column = kLeft;
  bool first = true;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (!first && column + 1 + word.size() > kWidth) {
      out += '\n' + std::string(kLeft, ' ');
      column = kLeft;
      first = true;
    }
    if (!std::exchange(first, false)) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
  }
  return out + '\n';
}

}  // namespace

std::string HelpFormat::make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const {
  return CLI::detail::find_and_replace(CLI::Formatter::make_help(app, std::move(name), mode), "\n\n\n",
                                       "\n\n");
}

std::string HelpFormat::make_option(const CLI::Option* option, bool positional) const {
  std::string left = make_option_name(option, positional);
  if (option->get_type_size() != 0 && !option->get_type_name().empty()) left += " " + option->get_type_name();
  std::string text = option->get_description();
  if (!option->get_default_str().empty()) text += " (default: " + option->get_default_str() + ")";
  return Entry(std::move(left), text);
}

std::string HelpFormat::make_subcommand(const CLI::App* subcommand) const {
  return Entry(subcommand->get_name(), subcommand->get_description());
}

}  // namespace unmask
