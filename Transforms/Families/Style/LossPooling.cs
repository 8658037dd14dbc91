namespace MLExtensions;

/// <summary>How the pooling layers of a loss network compute.</summary>
public enum LossPooling
{
    /// <summary>As the network was trained: the maximum in the known ones.</summary>
    AsTrained,

    /// <summary>The mean. Gatys et al. (2016) found that pictures become slightly more pleasing with it.</summary>
    Average,
}
