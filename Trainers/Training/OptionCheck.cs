using System.Globalization;

namespace MLExtensions.Training;

/// <summary>
/// Rejects invalid options, NaN included, with one form of message: the option's name, its value, and the allowed values.
/// </summary>
internal static class OptionCheck
{
    public static void AtLeast(int value, int minimum, string option) =>
        Require(value >= minimum, value, option, FormattableString.Invariant($"at least {minimum}"));

    /// <summary>A count with a limit that no computer reaches.</summary>
    public static void Count(int value, int maximum, string option) =>
        Require(value >= 1 && value <= maximum, value, option, FormattableString.Invariant($"at least 1 and at most {maximum}"));

    public static void Positive(double value, string option) => Above(value, 0, float.MaxValue, option);

    public static void NotNegative(double value, string option) => Between(value, 0, float.MaxValue, option);

    /// <summary>0 is allowed, 1 is not.</summary>
    public static void Fraction(double value, string option) =>
        Require(value >= 0 && value < 1, value, option, "at least 0 and below 1");

    /// <summary>Accepts a value in [<paramref name="least"/>, <paramref name="greatest"/>].</summary>
    public static void Between(double value, double least, double greatest, string option) => Require(
        value >= least && value <= greatest,
        value,
        option,
        greatest >= float.MaxValue && !(value > greatest && double.IsFinite(value)) ? $"finite and at least {Text(least)}" : $"between {Text(least)} and {Text(greatest)}");

    /// <summary>Accepts a value in (<paramref name="limit"/>, <paramref name="greatest"/>].</summary>
    public static void Above(double value, double limit, double greatest, string option) => Require(
        value > limit && value <= greatest,
        value,
        option,
        greatest >= float.MaxValue && !(value > greatest && double.IsFinite(value)) ? $"finite and greater than {Text(limit)}" : $"greater than {Text(limit)} and at most {Text(greatest)}");

    public static void Defined<T>(T value, string option)
        where T : struct, Enum =>
        Require(Enum.IsDefined(value), value, option, $"one of {string.Join(", ", Enum.GetNames<T>())}");

    public static void NotNull(object? value, string option) => ArgumentNullException.ThrowIfNull(value, option);

    public static void NotEmpty(string? value, string option)
    {
        if (string.IsNullOrWhiteSpace(value))
            throw new ArgumentException($"{option} is empty; it must be a name.", option);
    }

    public static void Require(bool condition, object? value, string option, string allowed)
    {
        if (!condition)
            throw new ArgumentOutOfRangeException(option, value, string.Create(CultureInfo.InvariantCulture, $"{option} is {value}; it must be {allowed}."));
    }

    private static string Text(double value) => value.ToString(CultureInfo.InvariantCulture);
}
