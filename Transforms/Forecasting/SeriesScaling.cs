using System.Text.Json.Serialization;

namespace MLExtensions;

/// <summary>How the values of a series are scaled for a forecasting network.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<SeriesScaling>))]
public enum SeriesScaling
{
    /// <summary>By the mean and standard deviation of the training values of all series.</summary>
    Global,

    /// <summary>
    /// Each window by its own mean and mean absolute deviation: for series that differ in level or grow. The deviation counts as at
    /// least a thousandth of the standard deviation of the training values.
    /// </summary>
    Window,
}
