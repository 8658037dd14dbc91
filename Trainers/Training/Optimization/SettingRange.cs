using System.Globalization;

namespace MLExtensions.Training;

/// <summary>Refuses settings outside their range, NaN included, by the option's full name.</summary>
internal static class SettingRange
{
    /// <summary>Accepts <paramref name="value"/> in [<paramref name="least"/>, <paramref name="greatest"/>].</summary>
    public static void Check(string name, double value, double least, double greatest)
    {
        if (value >= least && value <= greatest)
            return;
        string range = greatest >= float.MaxValue
            ? $"a finite number of at least {Text(least)}"
            : $"between {Text(least)} and {Text(greatest)}";
        throw Outside(name, value, range);
    }

    /// <summary>Accepts <paramref name="value"/> in [<paramref name="least"/>, <paramref name="limit"/>).</summary>
    public static void CheckBelow(string name, double value, double least, double limit)
    {
        if (!(value >= least && value < limit))
            throw Outside(name, value, $"at least {Text(least)} and less than {Text(limit)}");
    }

    /// <summary>Accepts <paramref name="value"/> in (<paramref name="limit"/>, <paramref name="greatest"/>].</summary>
    public static void CheckAbove(string name, double value, double limit, double greatest)
    {
        if (value > limit && value <= greatest)
            return;
        string range = greatest >= float.MaxValue
            ? $"a finite number greater than {Text(limit)}"
            : $"greater than {Text(limit)} and at most {Text(greatest)}";
        throw Outside(name, value, range);
    }

    public static ArgumentOutOfRangeException Outside(string name, object value, string range) =>
        new(name, value, string.Create(CultureInfo.InvariantCulture, $"{name} is {value}; it must be {range}."));

    private static string Text(double value) => value.ToString(CultureInfo.InvariantCulture);
}
