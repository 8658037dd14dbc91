using System.Globalization;

namespace MLExtensions.Examples.Infrastructure;

/// <summary>
/// The figures of a run. The program prints them as its last line, <c>result: name=value name=value ...</c>, the same in every culture, so
/// that scripts can check them.
/// </summary>
internal sealed class ResultLine
{
    private const string Prefix = "result:";
    private const int SignificantDigits = 5;
    private const int MostDecimals = 12;

    private readonly Dictionary<string, double> _figures = [];

    /// <summary>What the example promises and the run did not reach, or null.</summary>
    public string? Failure { get; set; }

    /// <summary>Sets a figure. Figures are printed in the order in which they were set first.</summary>
    /// <param name="name">Lower-case letters, digits and dashes; dots separate what is measured from its figure, as in <c>network.accuracy</c>.</param>
    /// <exception cref="ArgumentException">The name has other characters, which a script would not expect.</exception>
    public double this[string name]
    {
        get => _figures[name];
        set
        {
            if (!name.Split('.').All(IsWord))
                throw new ArgumentException($"'{name}' is not a valid name of a figure.", nameof(name));
            _figures[name] = value;
        }
    }

    /// <summary>A title or a file name as part of a figure's name: <c>"Cold Front"</c> is <c>cold-front</c>.</summary>
    public static string NameOf(string title) =>
        string.Join('-', string.Concat(title.ToLowerInvariant().Select(letter => IsLetter(letter) ? letter : ' ')).Split(' ', StringSplitOptions.RemoveEmptyEntries));

    public override string ToString() => string.Join(' ', [Prefix, .. _figures.Select(figure => $"{figure.Key}={Format(figure.Value)}")]);

    private static bool IsWord(string word) => word != "" && word.All(letter => IsLetter(letter) || letter == '-');

    private static bool IsLetter(char letter) => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter);

    /// <summary>Five significant digits, without exponents and trailing zeros.</summary>
    private static string Format(double value)
    {
        if (!double.IsFinite(value))
            return double.IsNaN(value) ? "nan" : value > 0 ? "infinity" : "-infinity";
        var digitsBeforePoint = value == 0 ? 1 : (int)Math.Floor(Math.Log10(Math.Abs(value))) + 1;
        var decimals = Math.Clamp(SignificantDigits - digitsBeforePoint, 0, MostDecimals);
        return value.ToString("0." + new string('#', decimals), CultureInfo.InvariantCulture);
    }
}
