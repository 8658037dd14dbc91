using System.Globalization;
using MLExtensions.Messages;

namespace MLExtensions.Examples.Infrastructure;

/// <summary>The options and words on the command line, checked against those that the example has.</summary>
internal sealed class ExampleArguments
{
    private readonly Dictionary<ExampleOption, string> _values = [];

    private readonly List<string> _words = [];

    private ExampleArguments()
    {
    }

    /// <summary>The words that are not options; at least one where the example takes words.</summary>
    public IReadOnlyList<string> Words => _words;

    /// <exception cref="UsageException">An option is unknown, given twice or has no value; or there are more or fewer words than the example takes.</exception>
    public static ExampleArguments Parse(IReadOnlyList<string> given, IExample example)
    {
        var arguments = new ExampleArguments();
        for (var i = 0; i < given.Count; i++)
        {
            if (example.Words != null && !IsOption(given[i]))
            {
                arguments._words.Add(given[i]);
                continue;
            }
            var option = FindOption(given[i], example.Options);
            if (!option.IsFlag && (i + 1 == given.Count || IsOption(given[i + 1])))
                throw new UsageException($"--{option.Name} needs a value: {option.Usage}.");
            var value = option.IsFlag ? "" : given[++i];
            if (!arguments._values.TryAdd(option, value))
                throw new UsageException($"--{option.Name} is given twice.");
        }
        if (example.Words is { } words && (arguments._words.Count == 0 || arguments._words.Count > words.Most))
            throw new UsageException($"{example.Name} takes {words.Placeholder}, but {(arguments._words.Count == 0 ? "nothing was" : $"{arguments._words.Count} words were")} given. {words.Description}");
        return arguments;
    }

    /// <exception cref="UsageException">The option has no default and is not given.</exception>
    public string Text(ExampleOption option) =>
        Find(option) ?? throw new UsageException($"{option.Usage} is missing. {option.Description}");

    /// <summary>A whole number, or null where none is given and the option has no default.</summary>
    /// <exception cref="UsageException">It is not a number, or less than <paramref name="least"/>.</exception>
    public int? OptionalInteger(ExampleOption option, int least)
    {
        if (Find(option) is not { } text)
            return null;
        if (!int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) || value < least)
            throw new UsageException($"--{option.Name} is '{text}'; it must be a whole number of at least {least}.");
        return value;
    }

    /// <inheritdoc cref="OptionalInteger"/>
    public int Integer(ExampleOption option, int least)
    {
        Text(option);
        return OptionalInteger(option, least)!.Value;
    }

    /// <summary>A number.</summary>
    /// <exception cref="UsageException">It is not a number, or less than <paramref name="least"/>.</exception>
    public double Number(ExampleOption option, double least)
    {
        var text = Text(option);
        if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) || !double.IsFinite(value) || value < least)
            throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"--{option.Name} is '{text}'; it must be a number of at least {least}."));
        return value;
    }

    /// <summary>Whether an option without a value is given.</summary>
    public bool IsGiven(ExampleOption option) => _values.ContainsKey(option);

    /// <summary>One of several words.</summary>
    /// <exception cref="UsageException">It is another word.</exception>
    public string Choice(ExampleOption option, params IReadOnlyList<string> choices)
    {
        var text = Text(option);
        if (!choices.Contains(text))
            throw new UsageException($"--{option.Name} is '{text}'; it must be one of {string.Join(", ", choices)}.{NearestName.Suggest(text, choices)}");
        return text;
    }

    /// <summary>The value, or null where none is given and the option has no default.</summary>
    public string? OptionalText(ExampleOption option) => Find(option);

    private static bool IsOption(string word) => word.StartsWith("--", StringComparison.Ordinal);

    private string? Find(ExampleOption option) => _values.GetValueOrDefault(option, option.Default!);

    private static ExampleOption FindOption(string word, IReadOnlyList<ExampleOption> options)
    {
        var known = options.Select(option => "--" + option.Name).ToArray();
        var index = Array.IndexOf(known, word);
        if (index >= 0)
            return options[index];
        throw new UsageException($"There is no option '{word}'. The options are {string.Join(", ", [.. known, "--help"])}.{NearestName.Suggest(word, known)}");
    }
}
