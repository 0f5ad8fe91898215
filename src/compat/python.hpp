// SPDX-License-Identifier: Apache-2.0
#pragma once

// What clients of the original services see of the language and the frameworks these are written in.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "http/message.hpp"

namespace unmask::compat {

/// repr() of a float: the shortest decimal that reads back as the same double, with ".0" for whole numbers
/// and an exponent below 1e-4 and from 1e16 on. "inf", "-inf" and "nan" as Python writes them.
std::string PythonFloat(double value);

/// A float32 as Python prints it: widened, then repr(). 0.6263623f is "0.6263623237609863".
inline double Widen(float value) { return static_cast<double>(value); }

/// A text as json.dumps() writes it, quotes included. `ascii`: everything beyond ASCII
/// becomes \uXXXX; otherwise UTF-8 stays. Broken UTF-8 becomes U+FFFD.
std::string PythonString(std::string_view text, bool ascii);

/// An answer's body as Flask's jsonify() makes it: keys sorted, no spaces, ASCII alone, a newline at the end.
std::string FlaskJson(const nlohmann::ordered_json& value);

/// An answer's body as FastAPI's JSONResponse makes it: keys as built, no spaces, UTF-8, no newline.
std::string FastApiJson(const nlohmann::ordered_json& value);

/// int(text): white space around it, a sign, digits with single underscores between them. Numbers beyond 64
/// bits become the nearest that fit. Digits of other scripts are not read, unlike there.
std::optional<std::int64_t> ParsePythonInt(std::string_view text);

/// float(text): as above, also with a fraction, an exponent, inf, infinity and nan in any case.
std::optional<double> ParsePythonFloat(std::string_view text);

/// round(value) to a whole number, halves to even. Not a number, or beyond 64 bits: nothing.
std::optional<std::int64_t> RoundHalfEven(double value);

/// The page that Werkzeug answers an error with: 404, 405, 413, 429, 500. `description` replaces its own.
http::Response WerkzeugPage(int status, std::string_view description = {});

/// {"detail": text} as FastAPI answers an HTTPException.
http::Response FastApiDetail(int status, std::string_view detail);

/// One entry of FastAPI's 422 answer.
struct FastApiFault {
  std::string type;              ///< "missing", "float_parsing", ...
  std::vector<std::string> loc;  ///< {"body", "file"}
  std::string message;
  std::optional<std::string> input;  ///< absent: null
  bool empty_error_context = false;  ///< with "ctx":{"error":{}}
};

/// 422 {"detail": [...]}.
http::Response FastApiInvalid(const std::vector<FastApiFault>& faults);

}  // namespace unmask::compat
