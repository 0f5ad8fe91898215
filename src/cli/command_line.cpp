// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.hpp"

#include <algorithm>
#include <set>

#include "base/version.hpp"
#include "cli/arguments.hpp"
#include "cli/exit_code.hpp"
#include "cli/help_format.hpp"
#include "cli/options.hpp"
#include "render/text.hpp"

namespace unmask {
namespace {

constexpr auto kRootFooter =
    "Every option can also be set as a variable of the environment (UNMASK_MAX_FRAMES for --max-frames)\n"
    "or in the file of --config: lines 'max-frames = 64', alone or in a section [scan]. The command line\n"
    "goes before the environment, the environment before the file.\n\n"
    "Exit codes: 0 all done; 1 --fail-on matched; 2 wrong usage; 3 some file could not be analysed (the\n"
    "others were); 130 interrupted. When both fit, 1 goes before 3.\n\n"
    "Example: unmask scan --format html --output report.html holiday.mp4";

constexpr auto kScanFooter =
    "Also: --config FILE and --log-level LEVEL, as 'unmask --help' says.\n\n"
    "Results go to standard output in the order of the input; progress and errors go to standard error.\n"
    "Exit codes: 0 every file analysed; 1 --fail-on matched; 2 wrong usage; 3 some file could not be\n"
    "analysed (the others were); 130 interrupted.\n\n"
    "Examples:\n"
    "  unmask scan photo.jpg clip.mp4\n"
    "  unmask scan --format csv --output results.csv archive/\n"
    "  unmask scan --keyframes --fail-on manipulated incoming/ && publish";

constexpr auto kServeFooter =
    "Also: --config FILE and --log-level LEVEL, as 'unmask --help' says.\n\n"
    "Serves until SIGTERM or SIGINT, then finishes what runs within --grace seconds; a second signal ends\n"
    "it at once. There is no authentication: keep it on the loopback address or behind a proxy that has it.\n"
    "Exit codes: 0 stopped by a signal; 2 wrong usage; 3 it cannot work here, e.g. the port is in use.\n\n"
    "Example: unmask serve --listen 127.0.0.1:8080 --max-upload 500M";

constexpr auto kEvaluateFooter =
    "Also: --config FILE and --log-level LEVEL, as 'unmask --help' says.\n\n"
    "The summary goes to standard output. docs/evaluation.md says what each figure means.\n"
    "Exit codes: 0 every file evaluated; 2 wrong usage; 3 some file could not be evaluated (the others\n"
    "were); 130 interrupted.\n\n"
    "Examples:\n"
    "  unmask evaluate labelled/                        (labelled/real/..., labelled/fake/...)\n"
    "  unmask evaluate --input crops --split val --degrade --html report.html faces.tar\n"
    "  unmask evaluate --input scores other_detector.csv";

constexpr auto kExtractFooter =
    "Also: --config FILE and --log-level LEVEL, as 'unmask --help' says.\n\n"
    "The set has SPLIT/LABEL/ID.jpg, faces.csv (a line a face), sources.csv (a line a file that is "
    "complete)\n"
    "and extract.json (the options). docs/training.md explains every column and the way to a model.\n"
    "Interrupted runs go on with --resume. Counts go to standard output, progress and errors to standard\n"
    "error.\n"
    "Exit codes: 0 every file done, with or without faces; 2 wrong usage, or an output that may not be\n"
    "touched; 3 some file could not be read (the others were); 130 interrupted.\n\n"
    "Examples:\n"
    "  unmask faces extract -o set/ --split train=0.9,val=0.1 --group-by name videos/\n"
    "                                (videos/real/012.mp4 and its fake videos/fake/012.mp4 stay together)\n"
    "  unmask faces extract -o portraits.tar --label real --max-per-track 1 --skip small,blurred photos/";

constexpr auto kGateFooter =
    "Also: --config FILE and --log-level LEVEL, as 'unmask --help' says.\n\n"
    "Both versions run on the same files; docs/learning.md says how they are compared. The decision goes "
    "into\n"
    "the model's log ('unmask model log NAME').\n"
    "Exit codes: 0 passed; 1 refused; 2 wrong usage; 3 it could not be measured or recorded; 130 "
    "interrupted.\n\n"
    "Example: unmask model gate candidates/face/3 --against face:2 --data set/ --split val";

constexpr auto kExportFeedbackFooter =
    "Also: --config FILE and --log-level LEVEL, as 'unmask --help' says.\n\n"
    "The set is what 'unmask faces extract' writes; media with the same content are one group. The latest\n"
    "feedback counts, and everything that is left out is counted (docs/learning.md). DIR is only read.\n"
    "Exit codes: 0 done; 2 wrong usage, or an output that may not be touched; 3 there was no labelled face,\n"
    "or some feedback is damaged (the rest was taken).\n\n"
    "Example: unmask faces export-feedback --output set/ /var/lib/unmask/feedback";

constexpr auto kCompatCheckFooter =
    "Also: --config FILE and --log-level LEVEL, as 'unmask --help' says.\n\n"
    "Sends each file to the old service and to unmask as a client of that service does. What a client\n"
    "might stumble over is marked '!': another status, header, key, order of keys or type of a value.\n"
    "docs/compat.md says what differs on purpose. Socket.IO is not compared.\n"
    "Exit codes: 0 the same shape for every file; 1 some shape differs; 2 wrong usage; 3 a service could\n"
    "not be reached; 130 interrupted.\n\n"
    "Example: unmask compat-check --contract predict-api --against http://old:8000 --query fps=4 *.mp4";

/// What is wrong, as two lines.
struct Mistake {
  std::string message;
  std::string hint;
};

Answer ToAnswer(const Mistake& mistake) {
  return {kWrongUsage, "",
          fmt::format("error: {}\nhint: {}\n", EscapeForTerminal(mistake.message),
                      EscapeForTerminal(mistake.hint))};
}

/// "unmask scan"
std::string FullName(const CLI::App& app) {
  return app.get_parent() == nullptr ? "unmask"
                                     : fmt::format("{} {}", FullName(*app.get_parent()), app.get_name());
}

/// The innermost subcommand that was given, or the root.
CLI::App& Innermost(CLI::App& app) {
  const auto given = app.get_subcommands();
  return given.empty() ? app : Innermost(*given.front());
}

std::vector<CLI::Option*> SettableOptions(CLI::App& app) {
  return app.get_options([](const CLI::Option* option) {
    return option->get_configurable() && !option->get_lnames().empty() &&
           option->get_single_name() != "help" && option->get_single_name() != "version";
  });
}

std::string EnvironmentName(const CLI::Option& option) {
  std::string name = "UNMASK_" + option.get_lnames().front();
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return c == '-' ? '_' : static_cast<char>(std::toupper(c)); });
  return name;
}

/// Gives an option values that did not come from the command line. `source` is named when they are wrong.
void Set(CLI::Option& option, std::vector<std::string> values, const std::string& source) {
  try {
    if (option.get_expected_min() == 0) {  // a flag
      static const std::set<std::string, std::less<>> kOff = {"false", "0", "off", "no"};
      static const std::set<std::string, std::less<>> kOn = {"true", "1", "on", "yes"};
      const std::string word = values.empty() ? "" : CLI::detail::to_lower(values.front());
      if (kOff.contains(word)) return;
      if (!kOn.contains(word))
        throw Mistake{fmt::format("{}: expected true or false, found '{}'", source, word), "correct it"};
      values = {"true"};
    }
    option.add_result(values);
    option.run_callback();
  } catch (const CLI::ParseError& error) {
    std::string message = error.what();
    const std::string prefix = option.get_name() + ": ";
    if (message.starts_with(prefix)) message.erase(0, prefix.size());
    throw Mistake{fmt::format("{}: {}", source, message), fmt::format("correct or remove {}", source)};
  }
}

void ApplyEnvironment(CLI::App& app, const Environment& environment) {
  for (CLI::Option* option : SettableOptions(app)) {
    if (option->count() > 0) continue;
    const std::string name = EnvironmentName(*option);
    if (const auto value = environment(name); value && !value->empty()) Set(*option, {*value}, name);
  }
}

CLI::Option* FindOption(CLI::App& app, const std::string& name) {
  for (CLI::Option* option : SettableOptions(app))
    if (option->check_lname(name)) return option;
  return nullptr;
}

CLI::App* FindCommand(CLI::App& root, const std::string& name) {
  for (CLI::App* command : root.get_subcommands([](CLI::App*) { return true; }))
    if (command->check_name(name)) return command;
  return nullptr;
}

bool AnyCommandHas(CLI::App& app, const std::string& name) {
  if (FindOption(app, name) != nullptr) return true;
  const auto subcommands = app.get_subcommands([](CLI::App*) { return true; });
  return std::any_of(subcommands.begin(), subcommands.end(),
                     [&](CLI::App* subcommand) { return AnyCommandHas(*subcommand, name); });
}

void ApplyConfig(CLI::App& root, CLI::App& chosen, const std::string& file) {
  std::vector<CLI::ConfigItem> items;
  try {
    items = CLI::ConfigTOML().from_file(file);
  } catch (const CLI::Error&) {
    throw Mistake{fmt::format("the file of --config cannot be read: {}", file),
                  "check the path and its permissions"};
  }
  for (CLI::ConfigItem& item : items) {
    if (item.name == "++" || item.name == "--") continue;  // CLI11's marks of a section's begin and end
    std::replace(item.name.begin(), item.name.end(), '_', '-');
    const std::string source = fmt::format("{} in {}", item.name, file);
    CLI::App* section = item.parents.empty() ? nullptr : FindCommand(root, item.parents.front());
    if (!item.parents.empty() && section == nullptr)
      throw Mistake{fmt::format("unknown section [{}] in {}", item.parents.front(), file),
                    "use the name of a command, such as [scan] or [serve]"};
    if (!AnyCommandHas(section == nullptr ? root : *section, item.name))
      throw Mistake{fmt::format("unknown option {}", source), "see 'unmask COMMAND --help' for the options"};
    if (section != nullptr && section != &chosen && section != chosen.get_parent()) continue;
    CLI::Option* option = FindOption(chosen, item.name);
    if (option == nullptr) option = FindOption(root, item.name);
    if (option != nullptr && option->count() == 0) Set(*option, item.inputs, source);
  }
}

std::vector<std::string> NamesOfCommands(CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* subcommand : app.get_subcommands([](CLI::App*) { return true; }))
    names.push_back(subcommand->get_name());
  return names;
}

Mistake UnknownCommand(CLI::App& app, const std::string& word) {
  const std::vector<std::string> names = NamesOfCommands(app);
  const std::string closest = ClosestWord(word, names);
  std::string hint = closest.empty() ? fmt::format("the commands are {}", fmt::join(names, ", "))
                                     : fmt::format("did you mean '{} {}'?", FullName(app), closest);
  return {fmt::format("unknown command '{}'", word), hint};
}

Mistake UnknownOption(CLI::App& root, CLI::App& chosen, const std::string& word) {
  const std::string name = word.substr(0, word.find('='));
  std::vector<std::string> known = {"--help", "--version"};
  for (CLI::App* app : {&chosen, &root})
    for (const CLI::Option* option : app->get_options())
      for (const std::string& long_name : option->get_lnames()) known.push_back("--" + long_name);
  const std::string closest = ClosestWord(name, known);
  return {fmt::format("unknown option '{}'", name), closest.empty()
                                                        ? fmt::format("see '{} --help'", FullName(chosen))
                                                        : fmt::format("did you mean '{}'?", closest)};
}

/// CLI11's words made ours.
Mistake ToMistake(const CLI::ParseError& error, CLI::App& chosen) {
  const std::string hint = fmt::format("see '{} --help'", FullName(chosen));
  std::string message = error.what();
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    const std::string name = message.substr(0, message.find(':'));
    return {fmt::format("{} needs a value", name), hint};
  }
  return {message, hint};
}

void CheckExtras(CLI::App& root, CLI::App& chosen) {
  std::vector<std::string> extras = root.remaining(true);
  std::erase(extras, "--");  // CLI11 keeps the mark that ends the options
  if (extras.empty()) {
    if (&chosen == &root) throw Mistake{"no command given", "try 'unmask scan FILE' or 'unmask --help'"};
    if (!NamesOfCommands(chosen).empty())
      throw Mistake{fmt::format("'{}' needs a command", FullName(chosen)),
                    fmt::format("the commands are {}", fmt::join(NamesOfCommands(chosen), ", "))};
    return;
  }
  const auto option = std::find_if(extras.begin(), extras.end(),
                                   [](const std::string& word) { return word.size() > 1 && word[0] == '-'; });
  if (&chosen == &root && !extras.front().starts_with('-')) throw UnknownCommand(root, extras.front());
  if (option != extras.end()) throw UnknownOption(root, chosen, *option);
  if (!NamesOfCommands(chosen).empty()) throw UnknownCommand(chosen, extras.front());
  throw Mistake{fmt::format("unexpected argument '{}'", extras.front()),
                fmt::format("see '{} --help'", FullName(chosen))};
}

void CheckCommand(const ScanCommand& command) {
  if (command.paths.empty())
    throw Mistake{"no file or folder given", "try 'unmask scan FILE' or 'unmask scan --help'"};
  if (std::find(command.paths.begin(), command.paths.end(), "-") != command.paths.end())
    throw Mistake{"reading media from standard input is not supported", "save it to a file and name that"};
}

void CheckCommand(const EvaluateCommand& command) {
  const EvaluationRequest& request = command.request;
  if (request.data.paths.empty())
    throw Mistake{"no labelled files given", "try 'unmask evaluate FOLDER' or 'unmask evaluate --help'"};
  if (request.crop_margin && request.input != EvaluationInput::kCrops)
    throw Mistake{"--crop-margin is of use with --input crops alone", "add --input crops or leave it out"};
  if (request.degrade && request.input == EvaluationInput::kScores)
    throw Mistake{"--degrade needs pictures, --input scores has none", "leave one of them out"};
}

void CheckEnsemble(const EnsembleRequest& request) {
  if (request.name.empty())
    throw Mistake{"no name given", "try 'unmask model ensemble duo --members face:1,face:2'"};
  if (request.members.size() < 2)
    throw Mistake{"fewer than two members given", "name them with --members face:1,face:2"};
  const DatasetRequest& data = request.data;
  const bool of_fit = request.mean || request.crop_margin || !data.split.empty() || data.label ||
                      !data.list.empty() || data.limit > 0;
  if (data.paths.empty() && of_fit)
    throw Mistake{"--mean, --crop-margin and the options of labelled files are of use with --fit alone",
                  "name the faces with --fit PATH"};
}

void CheckCommand(const ModelCommand& command) {
  if (command.action == ModelCommand::Action::kEnsemble) return CheckEnsemble(command.ensemble);
  const bool takes_name =
      command.action != ModelCommand::Action::kList && command.action != ModelCommand::Action::kImport;
  if (takes_name && command.name.empty())
    throw Mistake{"no model given", "try 'unmask model list', then 'unmask model show NAME'"};
  if (command.action == ModelCommand::Action::kRoute && command.canary < 0)
    throw Mistake{"no share of the files given", "try 'unmask model route NAME:VERSION --canary 5'"};
  if (command.action == ModelCommand::Action::kGate) {
    if (command.against.empty())
      throw Mistake{"no version to compare with", "name the one that answers: --against NAME:VERSION"};
    if (command.evaluation.data.paths.empty())
      throw Mistake{"no validation data given",
                    "name a folder, an archive or a CSV of labelled faces: --data DIR"};
    if (command.evaluation.crop_margin && command.evaluation.input != EvaluationInput::kCrops)
      throw Mistake{"--crop-margin is of use with --input crops alone", "leave it out"};
  }
  if (command.action != ModelCommand::Action::kImport) return;
  if (command.request.file.empty())
    throw Mistake{"no file given", "try 'unmask model import model.keras --name NAME'"};
  if (command.request.name.empty()) throw Mistake{"no name given", "name the model with --name NAME"};
}

void CheckCommand(const FacesCommand& command) {
  if (command.feedback) {
    if (command.feedback->folder.empty())
      throw Mistake{
          "no folder of feedback given",
          "name the one that 'unmask serve --feedback' was given; try 'unmask faces export-feedback "
          "--output SET DIR'"};
    if (command.feedback->output.empty())
      throw Mistake{"no output given", "name a folder or an archive with --output DIR or --output FILE.tar"};
    return;
  }
  if (command.paths.empty())
    throw Mistake{"no file or folder given", "try 'unmask faces extract --output SET FOLDER'"};
  if (command.output.empty())
    throw Mistake{"no output given", "name a folder or an archive with --output DIR or --output FILE.tar"};
  if (command.resume && command.overwrite)
    throw Mistake{"--resume and --overwrite exclude each other", "give one of them"};
}

void CheckCommand(const CompatCheckCommand& command, bool contract_given) {
  if (!contract_given)
    throw Mistake{"no contract given", "say what kind of service it is: --contract microservice-v1, ..."};
  if (command.check.against.empty())
    throw Mistake{"no service to compare with", "name its root: --against http://HOST:PORT"};
  if (command.files.empty()) throw Mistake{"no file given", "see 'unmask compat-check --help'"};
  if (command.check.transport != compat::CheckOptions::Transport::kHttp) {
    if (command.check.contract != compat::Contract::kMesonetApi)
      throw Mistake{"--transport is of mesonet-api alone", "leave it out, or give --contract mesonet-api"};
    if (!command.check.fields.empty() || !command.check.query.empty() || !command.check.token.empty())
      throw Mistake{"--field, --query and --token are of HTTP requests",
                    "leave them out, or leave out --transport"};
  }
  if (!command.check.ours.empty() && (command.faithful || !command.model.empty()))
    throw Mistake{"--contract-engine and --contract-model are of a server of this process",
                  "leave them out, or leave out --ours"};
}

/// All that CLI11 fills; it keeps references, so this does not move.
struct Reader {
  CLI::App root{"Tells whether the faces in pictures and videos were manipulated, and how sure it is.",
                "unmask"};
  ScanCommand scan;
  ServeCommand serve;
  EvaluateCommand evaluate;
  DoctorCommand doctor;
  ModelCommand model;
  FacesCommand faces;
  CompatCheckCommand compat_check;
  LogLevel log_level = LogLevel::kWarning;
  std::string config;

  CLI::App* scan_app = nullptr;
  CLI::App* serve_app = nullptr;
  CLI::App* evaluate_app = nullptr;
  CLI::App* doctor_app = nullptr;
  CLI::App* model_app = nullptr;
  CLI::App* faces_app = nullptr;
  CLI::App* compat_check_app = nullptr;

  Reader() {
    root.allow_extras();            // CheckExtras() has better words
    root.require_subcommand(0, 1);  // a folder may be named like a command
    root.footer(kRootFooter);
    root.set_version_flag("--version", fmt::format("unmask {}", Version()), "Print the version and exit");
    root.formatter(std::make_shared<HelpFormat>());
    root.add_option("--config", config, "Read options from this file (TOML)")->type_name("FILE");
    root.add_option_function<std::string>(
            "--log-level", [this](const std::string& word) { log_level = *ParseLogLevel(word); },
            "Messages on standard error: debug, info, warning, error or off")
        ->check([](const std::string& word) {
          return ParseLogLevel(word)
                     ? std::string()
                     : fmt::format("expected debug, info, warning, error or off, found '{}'", word);
        })
        ->type_name("LEVEL")
        ->default_str("warning");

    scan_app = Declare("scan", "Analyse files and folders", DeclareScan, scan);
    scan_app->footer(kScanFooter);
    serve_app = Declare("serve", "Serve the web page and the HTTP interface", DeclareServe, serve);
    serve_app->footer(kServeFooter);
    evaluate_app =
        Declare("evaluate", "Measure how well labelled files are told apart", DeclareEvaluate, evaluate);
    evaluate_app->footer(kEvaluateFooter);
    doctor_app = Declare("doctor", "Check this machine and say what is missing", DeclareDoctor, doctor);
    doctor_app->footer(
        "Exit codes: 0 all is well, or works with warnings; 1 something is missing; 2 wrong usage.");
    model_app = Declare("model", "Show the models, and import others", DeclareModel, model);
    model_app->footer("Example: unmask model show face");
    for (CLI::App* action : model_app->get_subcommands([](CLI::App*) { return true; })) action->footer("");
    model_app->get_subcommand("gate")->footer(kGateFooter);
    faces_app = Declare("faces", "Cut faces out of media or take those of feedback, to train on",
                        DeclareFaces, faces);
    faces_app->footer("Example: unmask faces extract --output set/ videos/");
    faces_app->get_subcommand("extract")->footer(kExtractFooter);
    faces_app->get_subcommand("export-feedback")->footer(kExportFeedbackFooter);
    compat_check_app = Declare("compat-check", "Compare a service that unmask stands in for with unmask",
                               DeclareCompatCheck, compat_check);
    compat_check_app->footer(kCompatCheckFooter);
  }

  template <typename Command>
  CLI::App* Declare(const char* name, const char* description, void (*declare)(CLI::App&, Command&),
                    Command& command) {
    CLI::App* app = root.add_subcommand(name, description);
    app->fallthrough();
    declare(*app, command);
    return app;
  }

  Command Read(std::vector<std::string> arguments, const Environment& environment) {
    std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
    try {
      root.parse(std::move(arguments));
    } catch (const CLI::Success& success) {
      std::ostringstream out;
      std::ostringstream err;
      root.exit(success, out, err);
      return Answer{kAllDone, out.str(), err.str()};
    } catch (const CLI::ParseError& error) {
      return ToAnswer(ToMistake(error, Innermost(root)));
    }

    CLI::App& chosen = Innermost(root);
    try {
      CheckExtras(root, chosen);
      ApplyEnvironment(chosen, environment);
      ApplyEnvironment(root, environment);
      if (!config.empty()) ApplyConfig(root, chosen, config);
      if (scan_app->parsed()) return CheckCommand(scan), scan;
      if (serve_app->parsed()) return serve;
      if (evaluate_app->parsed()) return CheckCommand(evaluate), evaluate;
      if (doctor_app->parsed()) return doctor;
      if (faces_app->parsed()) return CheckCommand(faces), faces;
      if (compat_check_app->parsed())
        return CheckCommand(compat_check, compat_check_app->count("--contract") > 0), compat_check;
      return CheckCommand(model), model;
    } catch (const Mistake& mistake) {
      return ToAnswer(mistake);
    }
  }
};

}  // namespace

CommandLine ParseCommandLine(std::vector<std::string> arguments, const Environment& environment) {
  Reader reader;
  Command command = reader.Read(std::move(arguments), environment);
  return {std::move(command), reader.log_level};
}

}  // namespace unmask
