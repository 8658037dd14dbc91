using System.Globalization;

namespace MLExtensions.Training;

/// <summary>Refuses an option at construction, in one form: the option's name, its value, and what it may be.</summary>
internal static class OptionCheck
{
    public static void AtLeast(int value, int minimum, string option) =>
        Require(value >= minimum, value, option, $"at least {minimum}");

    public static void Positive(double value, string option) =>
        Require(value > 0 && double.IsFinite(value), value, option, "positive and finite");

    public static void NotNegative(double value, string option) =>
        Require(value >= 0 && double.IsFinite(value), value, option, "0 or more, and finite");

    /// <summary>0 is allowed, 1 is not.</summary>
    public static void Fraction(double value, string option) =>
        Require(value >= 0 && value < 1, value, option, "at least 0 and below 1");

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
}
