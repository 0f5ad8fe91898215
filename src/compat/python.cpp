// SPDX-License-Identifier: Apache-2.0
#include "compat/python.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace unmask::compat {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kSpace = " \t\n\r\v\f\x1c\x1d\x1e\x1f";

std::string_view Strip(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
  text.remove_suffix(text.size() - (text.find_last_not_of(kSpace) + 1));
  return text;
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// Without the underscores, which may stand singly between digits; nothing where one stands elsewhere.
std::optional<std::string> WithoutUnderscores(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      plain += text[i];
    } else if (i == 0 || i + 1 == text.size() || !IsDigit(text[i - 1]) || !IsDigit(text[i + 1])) {
      return std::nullopt;
    }
  }
  return plain;
}

struct Style {
  bool sorted = false;
  bool ascii = false;
};

void Write(std::string& out, const ordered_json& value, const Style& style);

void WriteObject(std::string& out, const ordered_json& object, const Style& style) {
  std::vector<const ordered_json::object_t::value_type*> members;
  for (const auto& member : object.get_ref<const ordered_json::object_t&>()) members.push_back(&member);
  // By bytes, which for UTF-8 is the order of code points, Python's.
  if (style.sorted)
    std::sort(members.begin(), members.end(), [](auto* a, auto* b) { return a->first < b->first; });
  char before = '{';
  for (const auto* member : members) {
    out += before;
    out += PythonString(member->first, style.ascii);
    out += ':';
    Write(out, member->second, style);
    before = ',';
  }
  out += members.empty() ? "{}" : "}";
}

void Write(std::string& out, const ordered_json& value, const Style& style) {
  switch (value.type()) {
    case ordered_json::value_t::object:
      return WriteObject(out, value, style);
    case ordered_json::value_t::array: {
      char before = '[';
      for (const auto& item : value) {
        out += before;
        Write(out, item, style);
        before = ',';
      }
      out += value.empty() ? "[]" : "]";
      return;
    }
    case ordered_json::value_t::string:
      out += PythonString(value.get_ref<const std::string&>(), style.ascii);
      return;
    case ordered_json::value_t::number_float: {
      const double number = value.get<double>();
      // What is no number is no JSON either; the originals failed, or wrote what no browser reads.
      out += std::isfinite(number) ? PythonFloat(number) : "null";
      return;
    }
    default:
      out += value.dump();
  }
}

struct Page {
  int status;
  std::string_view title;
  std::string_view description;
};

// werkzeug/exceptions.py, version 3
constexpr Page kPages[] = {
    {400, "Bad Request", "The browser (or proxy) sent a request that this server could not understand."},
    {404, "Not Found",
     "The requested URL was not found on the server. If you entered the URL manually please check your "
     "spelling and try again."},
    {405, "Method Not Allowed", "The method is not allowed for the requested URL."},
    {413, "Request Entity Too Large", "The data value transmitted exceeds the capacity limit."},
    {429, "Too Many Requests", "This user has exceeded an allotted request count. Try again later."},
    {500, "Internal Server Error",
     "The server encountered an internal error and was unable to complete your request. Either the server "
     "is overloaded or there is an error in the application."},
};

}  // namespace

std::string PythonFloat(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific).ptr;
  // "-d.ddde+XX" into sign, digits and the place of the decimal point.
  std::string_view rest(text, static_cast<std::size_t>(end - text));
  std::string out;
  if (rest.front() == '-') {
    out = "-";
    rest.remove_prefix(1);
  }
  const auto mark = rest.find('e');
  std::string digits(1, rest.front());
  if (mark > 1) digits += rest.substr(2, mark - 2);
  int exponent = 0;
  const auto power = rest.substr(rest[mark + 1] == '+' ? mark + 2 : mark + 1);
  std::from_chars(power.data(), power.data() + power.size(), exponent);

  const int count = static_cast<int>(digits.size());
  if (exponent < -4 || exponent >= 16) {
    out += digits.front();
    if (count > 1) out += "." + digits.substr(1);
    return out + fmt::format("e{}{:02}", exponent < 0 ? '-' : '+', std::abs(exponent));
  }
  if (exponent < 0) return out + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  if (count <= exponent + 1)
    return out + digits + std::string(static_cast<std::size_t>(exponent + 1 - count), '0') + ".0";
  return out + digits.substr(0, static_cast<std::size_t>(exponent) + 1) + "." +
         digits.substr(static_cast<std::size_t>(exponent) + 1);
}

std::string PythonString(std::string_view text, bool ascii) {
  return ordered_json(text).dump(-1, ' ', ascii, ordered_json::error_handler_t::replace);
}

std::string FlaskJson(const ordered_json& value) {
  std::string out;
  Write(out, value, {.sorted = true, .ascii = true});
  return out + "\n";
}

std::string FastApiJson(const ordered_json& value) {
  std::string out;
  Write(out, value, {});
  return out;
}

std::optional<std::int64_t> ParsePythonInt(std::string_view text) {
  text = Strip(text);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const auto digits = WithoutUnderscores(text);
  if (!digits || digits->empty() || !std::all_of(digits->begin(), digits->end(), IsDigit))
    return std::nullopt;
  std::int64_t value = 0;
  const auto signed_digits = (negative ? "-" : "") + *digits;
  const auto parsed =
      std::from_chars(signed_digits.data(), signed_digits.data() + signed_digits.size(), value);
  if (parsed.ec == std::errc::result_out_of_range)
    return negative ? std::numeric_limits<std::int64_t>::min() : std::numeric_limits<std::int64_t>::max();
  return value;
}

std::optional<double> ParsePythonFloat(std::string_view text) {
  text = Strip(text);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  for (const std::string_view word : {"inf", "infinity", "nan"})
    if (http::EqualsIgnoreCase(text, word)) {
      constexpr double kInf = std::numeric_limits<double>::infinity();
      if (word == "nan") return std::numeric_limits<double>::quiet_NaN();
      return negative ? -kInf : kInf;
    }
  auto plain = WithoutUnderscores(text);
  if (!plain || plain->empty() || (!IsDigit(plain->front()) && plain->front() != '.')) return std::nullopt;
  double value = 0;
  const char* const end = plain->data() + plain->size();
  const auto parsed = std::from_chars(plain->data(), end, value);
  if (parsed.ptr != end) return std::nullopt;
  if (parsed.ec == std::errc::result_out_of_range) {
    // from_chars() does not say on which side: a negative exponent, or a fraction of zeros, is too small.
    const auto mark = plain->find_first_of("eE");
    const bool small = mark != std::string::npos && mark + 1 < plain->size() && (*plain)[mark + 1] == '-';
    value = small ? 0 : std::numeric_limits<double>::infinity();
  } else if (parsed.ec != std::errc()) {
    return std::nullopt;
  }
  return negative ? -value : value;
}

std::optional<std::int64_t> RoundHalfEven(double value) {
  constexpr double kLimit = 9223372036854775808.0;  // 2^63
  if (!(value > -kLimit && value < kLimit)) return std::nullopt;
  return static_cast<std::int64_t>(std::nearbyint(value));
}

http::Response WerkzeugPage(int status, std::string_view description) {
  const auto* found =
      std::find_if(std::begin(kPages), std::end(kPages), [&](const Page& p) { return p.status == status; });
  const Page& page = found == std::end(kPages) ? *(std::end(kPages) - 1) : *found;
  http::Response response;
  response.status = page.status;
  response.content_type = "text/html; charset=utf-8";
  response.body =
      fmt::format("<!doctype html>\n<html lang=en>\n<title>{0} {1}</title>\n<h1>{1}</h1>\n<p>{2}</p>\n",
                  page.status, page.title, description.empty() ? page.description : description);
  return response;
}

http::Response FastApiDetail(int status, std::string_view detail) {
  return http::JsonResponse(status, FastApiJson({{"detail", detail}}));
}

http::Response FastApiInvalid(const std::vector<FastApiFault>& faults) {
  ordered_json list = ordered_json::array();
  for (const auto& fault : faults) {
    ordered_json entry;
    entry["type"] = fault.type;
    entry["loc"] = fault.loc;
    entry["msg"] = fault.message;
    entry["input"] = nullptr;
    if (fault.input) entry["input"] = *fault.input;
    if (fault.empty_error_context) entry["ctx"]["error"] = ordered_json::object();
    list.push_back(std::move(entry));
  }
  ordered_json body;
  body["detail"] = std::move(list);
  return http::JsonResponse(422, FastApiJson(body));
}

}  // namespace unmask::compat
