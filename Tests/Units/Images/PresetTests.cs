namespace MLExtensions.Tests.Images;

/// <summary>Well-known networks have the parameters that torchvision (or the paper) gives them.</summary>
[TestClass]
public sealed class PresetTests
{
    [TestMethod]
    [DataRow("lenet5", 61_706L)]
    [DataRow("mnist", 1_199_882L)]
    [DataRow("tutorial", 1_068_298L)]
    [DataRow("alexnet", 61_100_840L)]
    [DataRow("vgg16", 138_357_544L)]
    [DataRow("vgg16_bn", 138_365_992L)]
    [DataRow("vgg19", 143_667_240L)]
    [DataRow("googlenet", 6_624_904L)]
    [DataRow("squeezenet1_0", 1_248_424L)]
    [DataRow("facenet", 140_025_664L)]
    [DataRow("resnet18", 11_689_512L)]
    [DataRow("resnet34", 21_797_672L)]
    [DataRow("resnet50", 25_557_032L)]
    [DataRow("resnet101", 44_549_160L)]
    [DataRow("resnet152", 60_192_808L)]
    [DataRow("resnet20", 269_722L)]
    [DataRow("resnet32", 464_154L)]
    [DataRow("resnet44", 658_586L)]
    [DataRow("resnet56", 853_018L)]
    [DataRow("resnet110", 1_727_962L)]
    public void ParameterCount_IsThePublishedOne(string name, long expected) =>
        Assert.AreEqual(expected, KnownNetworks.Create(name).ParameterCount);

    [TestMethod]
    [DataRow("alexnet", 0.71)]
    [DataRow("vgg16", 15.47)]
    [DataRow("vgg19", 19.63)]
    [DataRow("googlenet", 1.50)]
    [DataRow("squeezenet1_0", 0.82)]
    [DataRow("resnet18", 1.81)]
    [DataRow("resnet50", 4.09)]
    [DataRow("resnet152", 11.51)]
    public void MultiplyAdds_AreThoseOfTorchvision(string name, double expectedBillions) =>
        Assert.AreEqual(expectedBillions, KnownNetworks.Create(name).MultiplyAdds / 1e9, 0.011);

    /// <summary>A count that the module itself gives, and a forward pass, for the networks that are quick to build.</summary>
    [TestMethod]
    [DataRow("lenet5")]
    [DataRow("mnist")]
    [DataRow("tutorial")]
    [DataRow("googlenet")]
    [DataRow("squeezenet1_0")]
    [DataRow("resnet18")]
    [DataRow("resnet50")]
    [DataRow("resnet20")]
    [DataRow("small alexnet")]
    [DataRow("small vgg16")]
    [DataRow("small googlenet")]
    [DataRow("small squeezenet")]
    [DataRow("small facenet")]
    public void Module_HasThatManyAndRuns(string name)
    {
        TorchRuntime.Initialize();
        var architecture = KnownNetworks.Create(name);
        architecture.Check();
        using var scope = TorchSharp.torch.NewDisposeScope();
        using var network = architecture.CreateModule();
        Assert.AreEqual(architecture.ParameterCount, network.parameters().Sum(parameter => parameter.numel()));
        network.eval();
        using var mode = TorchSharp.torch.inference_mode();
        CollectionAssert.AreEqual(new long[] { 1, architecture.OutputCount }, network.call(TorchSharp.torch.zeros(1, architecture.InputCount)).shape);
    }
}
