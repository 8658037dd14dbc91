namespace MLExtensions.Training;

/// <summary>Says in messages which of two data sets is bad: both have rows and columns of the same names.</summary>
internal static class ValidationData
{
    private const string Prefix = "Validation data: ";

    /// <summary>Checks or reads validation data.</summary>
    public static T Read<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (FormatException e)
        {
            throw new FormatException(Prefix + e.Message, e);
        }
    }

    /// <summary>Checks the schema of validation data.</summary>
    public static void Check(Action check)
    {
        try
        {
            check();
        }
        catch (ArgumentException e)
        {
            throw new ArgumentException(Prefix + e.Message, e);
        }
    }
}
